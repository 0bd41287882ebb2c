"""The ledger, the audit trail and the roles in words, for the translators; what is stored are short names."""

from campaign.mail.lint.message import Part
from campaign.models import (
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

ACTIONS = {
    "export": N_("exported a list"),
    "export asked": N_("asked for a list"),
    "export approved": N_("approved a list"),
    "export refused": N_("refused a list"),
    "person forgotten": N_("erased all that was kept of a person"),
    "petition paused": N_("paused the petition"),
    "petition answered": N_("noted an answer"),
    "petition won": N_("noted that the demands are met"),
    "paper made": N_("made sheets to sign on paper"),
    "paper entered": N_("entered signatures from paper"),
    "list handed over": N_("noted that the list was handed over"),
    "names erased by schedule": N_("erased names that were kept long enough"),
    "updates ended by schedule": N_("erased the addresses of readers that were kept long enough"),
    "history told": N_("looked up what was sent to a person"),
    "signatures accepted": N_("accepted signatures"),
    "signatures invalidated": N_("declared signatures invalid"),
    "comments shown": N_("let comments be shown"),
    "comments refused": N_("had comments not shown"),
    "review taken back": N_("took a decision about signatures back"),
    "digest sent": N_("sent the digest"),
    "digest made": N_("made an edition, which waits"),
    "digest tested": N_("asked for a test of the digest"),
    "edition approved": N_("approved an edition"),
    "edition paused": N_("paused an edition"),
    "edition resumed": N_("resumed an edition"),
    "edition cancelled": N_("cancelled an edition"),
    "digest skipped": N_("asked for a digest; there was none to send"),
    "digest paused": N_("paused the digest"),
    "digest resumed": N_("resumed the digest"),
    "key rotated": N_("sealed everything with a new key"),
    "backup restored": N_("put a backup in the place of the database"),
    "petition loaded": N_("loaded the petition from its file"),
    "petition opened": N_("opened the petition"),
    "petition closed": N_("closed the petition"),
    "petition burned": N_("destroyed the personal data of those who signed"),
    "server locked": N_("locked the server"),
    "server unlocked": N_("unlocked the server"),
    "complaints warning": N_("readers complain: one in a thousand or more"),
    "digest paused by complaints": N_("paused the digest: three readers in a thousand complained"),
    "organizer added": N_("gave an organizer a role"),
    "challenge switched on": N_("switched the challenge on"),
    "challenge switched off": N_("switched the challenge off"),
    "update published": N_("published an update"),
    "signed in": N_("signed in"),
    "signed out everywhere": N_("signed out everywhere"),
    "password changed": N_("chose a new password"),
    "app added": N_("set up an app for codes"),
    "app removed": N_("removed the app for codes"),
    "recovery codes made": N_("made new recovery codes"),
    "passkey added": N_("added a passkey"),
    "passkey renamed": N_("gave a passkey another name"),
    "passkey removed": N_("removed a passkey"),
    "organizer removed": N_("took an organizer’s role away"),
    "organizer signed out": N_("signed an organizer out everywhere"),
    "organizer reset": N_("took an organizer’s password and second factors away and made a new link"),
    "sign-in slowed": N_("tried to sign in after five failures in a row or more"),
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
