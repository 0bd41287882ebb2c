"""The petition's public pages: read it, sign it, follow it."""

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from campaign.errors import NotFound
from campaign.models import Petition, PetitionState, TextVersion
from campaign.periods import PAGE_CACHED, seconds
from campaign.services.abuse.challenges import Refusal
from campaign.services.abuse.suspicions import Suspected
from campaign.services.digests.archive import get_public_edition, list_public_editions
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.store import get_petition, get_text_version, list_petitions
from campaign.services.signatures.sign import Submission
from campaign.services.signatures.submit import Screening, submit
from campaign.web.core.browser_marks import remember_mark
from campaign.web.core.caching import cached_for_all
from campaign.web.core.context import installation, languages_of, reader_language, source_limit, texts_of, watch
from campaign.web.core.forms import SigningForm
from campaign.web.core.locked_mode import keyless
from campaign.web.core.mail_frame import mail_in_frame
from campaign.web.core.referral_links import carried, source_of_request
from campaign.web.core.security import Entry, entry
from campaign.web.core.typed_address import find_address, remember_address
from campaign.web.public.challenge import REFUSALS, answer_of, needs_challenge
from campaign.web.public.petition_page import PREVIEW, petition_page, tell_count, tell_updates

blueprint = Blueprint("petition", __name__)


def get_public(session: Session, slug: str, lang: str) -> Petition:
    """The petition, where it is for everybody to see in this language. Raises NotFound."""
    petition = get_petition(session, slug)
    if petition.state is PetitionState.DRAFT or lang not in languages_of(petition):
        raise NotFound("There is no such petition in this language.")
    return petition


@blueprint.get("/")
@entry(Entry.PUBLIC)
def front() -> Response:
    with installation().database.snapshots() as session:
        known = [(petition, count_confirmed(session, petition.id)) for petition in list_petitions(session)]
    page = render_template(
        "public/petition/front.html",
        petitions=[each for each in known if each[0].state in {PetitionState.OPEN, PetitionState.PAUSED}],
        ended=[each for each in known if each[0].state.is_over],
        texts_of=texts_of,
    )
    return cached_for_all(page)


@blueprint.get("/<lang>/p/<slug>")
@entry(Entry.PUBLIC)
def show(lang: str, slug: str) -> Response:
    """The page; ``?change=1`` fills in the address that was typed in this browser a moment ago."""
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        typed = find_address(petition.id) if "change" in request.args else None
        form = None if keyless() else SigningForm(formdata=None, source=source_of_request(), email=typed and typed.text)
        page = petition_page(session, petition, get_text_version(session, petition, lang), form)
    if typed is not None:
        answer = make_response(page)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    # Whoever asks gets a new token, which changes nothing that is to be seen.
    return cached_for_all(page, but_for=form.csrf_token.current_token if form else "")


@blueprint.get("/p/<slug>")
@entry(Entry.PUBLIC)
def choose_language(slug: str) -> BaseResponse:
    """The petition's address without a language leads to the page in the best language for the reader's browser."""
    with installation().database.snapshots() as session:
        petition = get_petition(session, slug)
        codes = languages_of(petition)
        if petition.state is PetitionState.DRAFT or not codes:
            raise NotFound("There is no such petition.")
    best = reader_language().code
    lang = best if best in codes else codes[0]
    answer = redirect(url_for("petition.show", lang=lang, slug=slug, source=carried().get("source")))
    answer.headers["Cache-Control"] = f"public, max-age={seconds(PAGE_CACHED)}"
    return answer


@blueprint.get("/<lang>/p/<slug>/preview/<token>")
@entry(Entry.LINK)
def preview(lang: str, slug: str, token: str) -> str | BaseResponse:
    """The page before it is public, for whom its organizers give the link to."""
    with installation().database.snapshots() as session:
        petition = get_petition(session, slug)
        if installation().vault.read_token(PREVIEW, token) != petition.id or lang not in petition.languages:
            raise NotFound("There is no such preview.")
        if petition.state is not PetitionState.DRAFT:
            return redirect(url_for("petition.show", lang=lang, slug=slug))
        return petition_page(session, petition, get_text_version(session, petition, lang), None)


@blueprint.post("/<lang>/p/<slug>")
@entry(Entry.PUBLIC)
def post_signature(lang: str, slug: str) -> BaseResponse | tuple[str, int]:
    form = SigningForm()
    now = installation().now()
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        version = get_text_version(session, petition, lang)
        if not form.check_whole(text_version=version.short_digest):
            return petition_page(session, petition, version, form), 422
        network = source_limit().mark(request.remote_addr, now.date())
        if not source_limit().allows(request.remote_addr, now):
            form.form_errors.append(form.TOO_MANY)
            return petition_page(session, petition, version, form), 429
        if watch().is_full(network, now):
            form.form_errors.append(form.BUSY)
            return petition_page(session, petition, version, form), 429
    submission = form.submission(lang)
    if (refusal := _submit(petition, version, submission, form, network)) is not None:
        form.refuse_answer(REFUSALS[refusal])
        with installation().database.snapshots() as session:
            return petition_page(session, petition, version, form), 422
    answer = redirect(url_for("check_mail.show", lang=lang, slug=slug, _anchor="content"), 303)
    remember_address(answer, petition.id, form.email.data or "")
    remember_mark(
        answer, installation().vault.browser_mark(petition.id, installation().vault.fingerprint(submission.address))
    )
    return answer


def _submit(
    petition: Petition, version: TextVersion, submission: Submission, form: SigningForm, network: str | None
) -> Refusal | None:
    now = installation().now()

    def look(signature_id: int | None) -> list[Suspected]:
        comment, domain = submission.person.comment, submission.address.domain
        return watch().look(petition.id, signature_id, network=network, comment=comment, domain=domain, now=now)

    screening = Screening(
        answer=answer_of(form) if needs_challenge(petition, now) else None,
        is_from_machine=form.is_from_machine,
        look=look,
    )
    return submit(
        installation().database.sessions,
        installation().vault,
        petition,
        version,
        submission,
        now=now,
        screening=screening,
    )


def outbox_address() -> str | None:
    """Where a newcomer without a mail server reads the mail."""
    settings = installation().settings
    return "/outbox" if settings.is_local and not settings.smtp_url else None


@blueprint.get("/<lang>/p/<slug>/updates")
@entry(Entry.PUBLIC)
def updates(lang: str, slug: str) -> Response:
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        page = render_template(
            "public/petition/updates.html",
            petition=petition,
            texts=texts_of(petition),
            updates=tell_updates(session, petition, count_confirmed(session, petition.id)),
            editions=[
                (edition.number, edition.made_at.astimezone(ZoneInfo(petition.timezone)).date())
                for edition in list_public_editions(session, petition.id, lang)
            ],
        )
    return cached_for_all(page)


@blueprint.get("/<lang>/p/<slug>/digest/<int(max=1000000):number>")
@entry(Entry.PUBLIC)
def edition(lang: str, slug: str, number: int) -> Response:
    with installation().database.snapshots() as session:
        answer = mail_in_frame(get_public_edition(session, get_public(session, slug, lang), lang, number))
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@blueprint.get("/p/<slug>/count.json")
@entry(Entry.PUBLIC)
def count(slug: str) -> Response:
    with installation().database.snapshots() as session:
        petition = get_petition(session, slug)
        if petition.state is PetitionState.DRAFT:
            abort(404)
        told = tell_count(session, petition, request.args.get("lang", ""))
    answer = make_response(jsonify(told))
    answer.headers["Cache-Control"] = f"public, max-age={seconds(PAGE_CACHED)}"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
