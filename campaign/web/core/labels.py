"""The ledger, the audit trail and the roles in words, for the translators; what is stored are short names."""

from campaign.mail.lint.message import Part
from campaign.models import (
    AuditAction,
    DeliveryState,
    EditionState,
    PetitionState,
    ReaderFrequency,
    ReviewAction,
    Role,
    SignatureState,
    SuspicionKind,
)

N_ = str  # marks a sentence for the translators; the page translates it

PETITION_STATES = {
    PetitionState.DRAFT: N_("draft"),
    PetitionState.OPEN: N_("open"),
    PetitionState.PAUSED: N_("paused"),
    PetitionState.CLOSED: N_("closed"),
    PetitionState.DELIVERED: N_("handed over"),
    PetitionState.ANSWERED: N_("answered"),
    PetitionState.WON: N_("won"),
}

SIGNATURE_STATES = {
    SignatureState.CONFIRMED: N_("confirmed ones"),
    SignatureState.QUARANTINED: N_("confirmed ones that wait for a review"),
    SignatureState.PENDING: N_("those that wait for their confirmation"),
    SignatureState.WITHDRAWN: N_("withdrawn ones, without names"),
    SignatureState.INVALIDATED: N_("invalidated ones"),
    SignatureState.EXPIRED: N_("expired ones, without names"),
}

ROLES = {
    Role.OWNER: N_("owner: does everything"),
    Role.EDITOR: N_("editor: sees numbers, sends the digest"),
    Role.EXPORTER: N_("exporter: sees numbers, exports lists"),
    Role.VIEWER: N_("viewer: sees numbers"),
}

DELIVERY_STATES = {
    DeliveryState.QUEUED: N_("waiting"),
    DeliveryState.SENDING: N_("being sent"),
    DeliveryState.ACCEPTED: N_("accepted"),
    DeliveryState.DEFERRED: N_("tried again later"),
    DeliveryState.REJECTED: N_("rejected"),
    DeliveryState.SUPPRESSED: N_("no longer wanted"),
    DeliveryState.IN_DOUBT: N_("in doubt"),
}

EDITION_STATES = {
    EditionState.DRAFT: N_("waits for approval"),
    EditionState.SCHEDULED: N_("waits for its time"),
    EditionState.SENDING: N_("being sent"),
    EditionState.PAUSED: N_("paused"),
    EditionState.SENT: N_("sent"),
    EditionState.CANCELLED: N_("cancelled"),
    EditionState.SKIPPED: N_("skipped"),
}

FREQUENCIES = {
    ReaderFrequency.EACH: N_("each edition"),
    ReaderFrequency.MONTHLY: N_("one a month"),
    ReaderFrequency.MILESTONES: N_("milestones only"),
}

MAIL_PARTS = {
    Part.WIRE: N_("as sent"),
    Part.ENVELOPE: N_("envelope"),
    Part.HEADER: N_("headers"),
    Part.STRUCTURE: N_("structure"),
    Part.TEXT: N_("text"),
    Part.HTML: "HTML",  # the same in every language
}

# What an entry of the audit trail tells besides who did what.
DETAILS = {
    "edition": N_("edition"),
    "readers": N_("readers"),
    "sent": N_("sent"),
    "mails": N_("mails"),
    "complaints": N_("complaints"),
    "accepted": N_("accepted"),
    "reason": N_("reason"),
    "list": N_("list"),
    "format": N_("format"),
    "state": N_("which"),
    "role": N_("role"),
    "key": N_("update"),
    "key_version": N_("key"),
    "resealed": N_("values sealed anew"),
    "paused": N_("paused editions"),
    "way": N_("with"),
    "name": N_("name"),
    "organizer": N_("organizer"),
    "failures": N_("failures"),
    "asked_by": N_("asked for by"),
    "approved_by": N_("approved by"),
    "to": N_("encrypted to"),
    "keys": N_("organizers’ keys"),
    "erased": N_("erased"),
    "review": N_("decision"),
    "signatures": N_("signatures"),
    "comments": N_("comments"),
    "sheet": N_("sheet"),
    "lines": N_("lines"),
}

LISTS = {
    "signatures": N_("the signatures"),
    "subscribers": N_("the digest’s readers"),
}

FORMATS = {
    "csv": N_("CSV, for a spreadsheet"),
    "jsonl": N_("JSON Lines, for a program"),
    "age": N_("encrypted to the organizers’ keys"),
}

ACTIONS: dict[AuditAction, str] = {
    AuditAction.EXPORTED: N_("exported a list"),
    AuditAction.EXPORT_ASKED: N_("asked for a list"),
    AuditAction.EXPORT_APPROVED: N_("approved a list"),
    AuditAction.EXPORT_REFUSED: N_("refused a list"),
    AuditAction.PERSON_FORGOTTEN: N_("erased all that was kept of a person"),
    AuditAction.PETITION_PAUSED: N_("paused the petition"),
    AuditAction.PETITION_ANSWERED: N_("noted an answer"),
    AuditAction.PETITION_WON: N_("noted that the demands are met"),
    AuditAction.PAPER_MADE: N_("made sheets to sign on paper"),
    AuditAction.PAPER_ENTERED: N_("entered signatures from paper"),
    AuditAction.LIST_HANDED_OVER: N_("noted that the list was handed over"),
    AuditAction.NAMES_ERASED: N_("erased names after their retention time"),
    AuditAction.UPDATES_ENDED: N_("erased the addresses of readers after their retention time"),
    AuditAction.HISTORY_TOLD: N_("looked up what was sent to a person"),
    AuditAction.SIGNATURES_ACCEPTED: N_("accepted signatures"),
    AuditAction.SIGNATURES_INVALIDATED: N_("declared signatures invalid"),
    AuditAction.COMMENTS_SHOWN: N_("allowed comments to be shown"),
    AuditAction.COMMENTS_REFUSED: N_("refused to show comments"),
    AuditAction.REVIEW_TAKEN_BACK: N_("took a decision about signatures back"),
    AuditAction.DIGEST_SENT: N_("sent the digest"),
    AuditAction.DIGEST_MADE: N_("made an edition, which waits"),
    AuditAction.DIGEST_TESTED: N_("asked for a test of the digest"),
    AuditAction.EDITION_APPROVED: N_("approved an edition"),
    AuditAction.EDITION_PAUSED: N_("paused an edition"),
    AuditAction.EDITION_RESUMED: N_("resumed an edition"),
    AuditAction.EDITION_CANCELLED: N_("cancelled an edition"),
    AuditAction.DIGEST_SKIPPED: N_("asked for a digest; there was none to send"),
    AuditAction.DIGEST_PAUSED: N_("paused the digest"),
    AuditAction.DIGEST_RESUMED: N_("resumed the digest"),
    AuditAction.KEY_ROTATED: N_("sealed everything with a new key"),
    AuditAction.BACKUP_RESTORED: N_("restored a backup"),
    AuditAction.PETITION_LOADED: N_("loaded the petition from its file"),
    AuditAction.PETITION_OPENED: N_("opened the petition"),
    AuditAction.PETITION_CLOSED: N_("closed the petition"),
    AuditAction.PETITION_BURNED: N_("destroyed the personal data of those who signed"),
    AuditAction.SERVER_LOCKED: N_("locked the server"),
    AuditAction.SERVER_UNLOCKED: N_("unlocked the server"),
    AuditAction.COMPLAINTS_WARNING: N_("readers complain: one in a thousand or more"),
    AuditAction.DIGEST_PAUSED_BY_COMPLAINTS: N_("paused the digest: three readers in a thousand complained"),
    AuditAction.ORGANIZER_ADDED: N_("gave an organizer a role"),
    AuditAction.CHALLENGE_SWITCHED_ON: N_("switched the challenge on"),
    AuditAction.CHALLENGE_SWITCHED_OFF: N_("switched the challenge off"),
    AuditAction.UPDATE_PUBLISHED: N_("published an update"),
    AuditAction.SIGNED_IN: N_("signed in"),
    AuditAction.SIGNED_OUT_EVERYWHERE: N_("signed out everywhere"),
    AuditAction.PASSWORD_CHANGED: N_("chose a new password"),
    AuditAction.APP_ADDED: N_("set up an app for codes"),
    AuditAction.APP_REMOVED: N_("removed the app for codes"),
    AuditAction.RECOVERY_CODES_MADE: N_("made new recovery codes"),
    AuditAction.PASSKEY_ADDED: N_("added a passkey"),
    AuditAction.PASSKEY_RENAMED: N_("gave a passkey another name"),
    AuditAction.PASSKEY_REMOVED: N_("removed a passkey"),
    AuditAction.ORGANIZER_REMOVED: N_("took an organizer’s role away"),
    AuditAction.ORGANIZER_SIGNED_OUT: N_("signed an organizer out everywhere"),
    AuditAction.ORGANIZER_RESET: N_("took an organizer’s password and second factors away and made a new link"),
    AuditAction.SIGN_IN_SLOWED: N_("tried to sign in after five failures in a row or more"),
}

# What an organizer signed in with, put together by “+”.
WAYS = {
    "password": N_("password"),
    "link": N_("one-time link"),
    "app": N_("app"),
    "passkey": N_("passkey"),
    "recovery code": N_("recovery code"),
}


ASKED = {
    "organize.digest.send": N_("Make an edition of the digest and begin to send it"),
    "organize.digest.edition.approve": N_("Approve the edition, so that it is sent"),
    "organize.digest.edition.pause": N_("Pause the sending of the edition"),
    "organize.digest.edition.resume": N_("Go on sending the edition"),
    "organize.digest.edition.cancel": N_("Cancel the edition"),
    "organize.digest.edition.test": N_("Send the digest to your own address, as a test"),
    "organize.exports.export": N_("Export a list"),
    "organize.exports.approve": N_("Approve the export of a list"),
    "organize.exports.refuse": N_("Refuse the export of a list"),
    "organize.exports.take": N_("Take the list that was approved"),
    "organize.state.switch_challenge_of": N_("Switch the question to signers on or off"),
    "organize.review.settle": N_("Decide about the signatures that you chose"),
    "organize.review.undo": N_("Take a decision about signatures back"),
    "organize.state.change": N_("Change the state of the petition"),
    "organize.comments.settle": N_("Decide about the comments that you ticked"),
    "organize.paper.enter": N_("Enter a line from paper"),
    "organize.account.app.add": N_("Add an app that shows codes"),
    "organize.account.app.remove": N_("Remove the app that shows codes"),
    "organize.account.app.new_codes": N_("Make new recovery codes"),
    "organize.account.passkeys.add": N_("Add a passkey"),
    "organize.account.passkeys.rename": N_("Give a passkey another name"),
    "organize.account.passkeys.remove": N_("Remove a passkey"),
}


SUSPICIONS = {
    SuspicionKind.SOURCE: N_("Many from one network"),
    SuspicionKind.BURST: N_("Many at once"),
    SuspicionKind.WORDS: N_("The same words"),
    SuspicionKind.DOMAIN: N_("Throw-away addresses"),
    SuspicionKind.FORM: N_("A form filled in by a program"),
    SuspicionKind.TOTAL: N_("More than usual in all"),
}

SUSPICION_HINTS = {
    SuspicionKind.SOURCE: N_("They came from one network within a short time: a troll, or people in one place."),
    SuspicionKind.BURST: N_("They came much faster than before: a machine, or somebody well known told of it."),
    SuspicionKind.WORDS: N_("Their comments say the same: a machine, or people who copied a text."),
    SuspicionKind.DOMAIN: N_("Their addresses are of a provider that gives them to anybody for minutes."),
    SuspicionKind.FORM: N_("A field that people do not see was filled in, or all of it in no time."),
    SuspicionKind.TOTAL: N_("The server was sent more forms in all than it expects."),
}

DECISIONS = {
    ReviewAction.ACCEPT: N_("accepted"),
    ReviewAction.INVALIDATE: N_("declared invalid"),
}

# In which state signatures were when it was decided about them.
REVIEWED = {
    SignatureState.QUARANTINED: N_("those that wait"),
    SignatureState.CONFIRMED: N_("those that are counted"),
}
