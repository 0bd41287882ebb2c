"""What makes signatures suspicious and what is decided about them in words, for the translators."""

from campaign.models import ReviewAction, SignatureState, SuspicionKind

N_ = str  # marks a sentence for the translators; the page translates it

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
