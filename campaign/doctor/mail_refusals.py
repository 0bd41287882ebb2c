"""What it means when the mail server refuses what this server sends, and what the person who runs it can do."""

from campaign.mail.smtp.refusals import Refusal

N_ = str  # marks a sentence for the translators; a page translates it

MEANINGS = {
    Refusal.HELO: N_("The mail server does not accept the name by which this server introduces itself."),
    Refusal.SENDER: N_("The mail server does not let this server send with this sender address."),
    Refusal.RELAY: N_("The mail server passes on no mails of this server."),
    Refusal.LOGIN: N_("The mail server wants a login, or an encrypted connection."),
    Refusal.QUOTA: N_("The quota of the mail server is used up: it takes no more mails for now."),
    Refusal.REPUTATION: N_("The mail server distrusts this server, its domain or its mails."),
    Refusal.PROTOCOL: N_("The mail server does not understand a command of this server."),
    Refusal.SERVER: N_("The mail server has trouble of its own."),
    Refusal.EVERYBODY: N_("The mail server gives the same refusal for recipients in several domains."),
}
MENDS = {
    Refusal.HELO: N_("Set CAMPAIGN_EHLO_NAME to a full name that the DNS knows, such as petition.example.org."),
    Refusal.SENDER: N_(
        "Let the mail server allow the address in CAMPAIGN_BOUNCES_TO, also with any text after a +, or set "
        "CAMPAIGN_VERP=false. The domain of the address must be in the DNS."
    ),
    Refusal.RELAY: N_(
        "Write the user and the password into CAMPAIGN_SMTP_URL, or let the mail server allow this machine to relay."
    ),
    Refusal.LOGIN: N_("Check the user and the password in CAMPAIGN_SMTP_URL, and write smtp+starttls:// or smtps://."),
    Refusal.QUOTA: N_(
        "Wait until the quota is renewed: the mails then go out by themselves. CAMPAIGN_SMTP_RATE keeps the server "
        "below the quota."
    ),
    Refusal.REPUTATION: N_(
        "Run campaign doctor, which checks SPF, DKIM and DMARC, and ask the operator of the mail server for the reason."
    ),
    Refusal.PROTOCOL: N_("Ask the operator of the mail server, and report it to the authors of this program."),
    Refusal.SERVER: N_("Look into the log of the mail server, or ask its operator. The mails are tried again."),
    Refusal.EVERYBODY: N_("Look into the log of the mail server, or ask its operator for the reason."),
}
