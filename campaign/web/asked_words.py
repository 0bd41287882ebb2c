"""What is asked for by each form that waits for a proof, in words: its own are short names for machines."""

N_ = str  # marks a sentence for the translators; the page translates it

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
    "organize.challenge.switch": N_("Switch the question to signers on or off"),
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
