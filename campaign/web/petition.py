"""The petition's public pages: read it, sign it, follow it."""

from functools import cache
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from campaign.errors import NotFound
from campaign.languages import Language, available_languages
from campaign.models import Petition, PetitionState, TextVersion, Update
from campaign.services.counting import count_confirmed, count_post
from campaign.services.petitions import get_petition, get_text_version, list_petitions, list_updates
from campaign.services.showing import get_public_edition, list_public_editions
from campaign.services.signing import sign
from campaign.services.suspecting import note_suspicions
from campaign.services.updates import Told, fill_html, placeholder_values, tell_update
from campaign.web.browser_marks import remember_mark
from campaign.web.challenge import USED_UP, Solved, check_challenge, needs_challenge, show_challenge
from campaign.web.context import campaign, reader_language, source_limit, texts_of, watch
from campaign.web.forms import SigningForm
from campaign.web.keyless import keyless
from campaign.web.mail_frame import mail_in_frame
from campaign.web.security import Entry, allow_puzzle, entry
from campaign.web.source_link import source_of_request

blueprint = Blueprint("petition", __name__)
LATEST_UPDATES = 3


def get_public(session: Session, slug: str, lang: str) -> Petition:
    """The petition, where it is for everybody to see in this language. Raises NotFound."""
    petition = get_petition(session, slug)
    if petition.state is PetitionState.DRAFT or lang not in petition.languages or lang not in available_languages():
        raise NotFound("There is no such petition in this language.")
    return petition


@cache
def _country_options(language: Language) -> Markup:
    """The long list of the form, made once for each language."""
    return Markup("").join(
        Markup('<option value="{}">{}</option>').format(code, name) for code, name in language.countries().items()
    )


def _values(petition: Petition, confirmed: int) -> dict[str, str]:
    return placeholder_values(petition, reader_language().code, campaign().public_links, count=confirmed)


def _page(session: Session, petition: Petition, version: TextVersion, form: SigningForm | None) -> str:
    confirmed = count_confirmed(session, petition.id)
    values = _values(petition, confirmed)
    challenge, now = None, campaign().now()
    if form is not None and needs_challenge(petition, now):
        challenge = show_challenge(session, petition, form, now=now)
        allow_puzzle()
    return render_template(
        "petition/show.html",
        petition=petition,
        texts=texts_of(petition),
        version=version,
        form=form,
        challenge=challenge,
        errors=form.first_errors() if form else {},
        confirmed=confirmed,
        call=fill_html(texts_of(petition)["call"], values),
        updates=_tell(list_updates(session, petition.id, most=LATEST_UPDATES), values),
        countries=reader_language().countries(),
        country_options=_country_options(reader_language()),
        page_url=campaign().public_links.petition(reader_language().code, petition.slug),
    )


def _tell(updates: list[Update], values: dict[str, str]) -> list[Told]:
    return [tell_update(update, reader_language().code, values) for update in updates]


@blueprint.get("/")
@entry(Entry.PUBLIC)
def front() -> str:
    with campaign().database.snapshots() as session:
        petitions = [
            (petition, count_confirmed(session, petition.id))
            for petition in list_petitions(session, state=PetitionState.OPEN)
        ]
        return render_template("petition/front.html", petitions=petitions, texts_of=texts_of)


@blueprint.get("/<lang>/p/<slug>")
@entry(Entry.PUBLIC)
def show(lang: str, slug: str) -> str:
    with campaign().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        form = None if keyless() else SigningForm(formdata=None, source=source_of_request())
        return _page(session, petition, get_text_version(session, petition, lang), form)


@blueprint.post("/<lang>/p/<slug>")
@entry(Entry.PUBLIC)
def post_signature(lang: str, slug: str) -> BaseResponse | tuple[str, int]:
    form = SigningForm()
    now = campaign().now()
    with campaign().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        version = get_text_version(session, petition, lang)
        if not form.check_whole(text_version=version.short_digest):
            return _page(session, petition, version, form), 422
        network = source_limit().mark(request.remote_addr, now.date())
        if not source_limit().allows(request.remote_addr, now.date()):
            form.form_errors.append(form.TOO_MANY)
            return _page(session, petition, version, form), 429
        if watch().is_full(network, now):
            form.form_errors.append(form.BUSY)
            return _page(session, petition, version, form), 429
    submission = form.submission(lang)
    if (wrong := _sign(petition, version, form, network)) is not None:
        form.refuse_answer(wrong)
        with campaign().database.snapshots() as session:
            return _page(session, petition, version, form), 422
    answer = redirect(url_for("petition.check_mail", lang=lang, slug=slug, _anchor="content"), 303)
    remember_mark(answer, campaign().vault.browser_mark(petition.id, campaign().vault.fingerprint(submission.address)))
    return answer


def _sign(petition: Petition, version: TextVersion, form: SigningForm, network: str | None) -> str | None:
    """Keep what was posted, with what is suspicious about it; or the sentence that says what its challenge lacks."""
    now, submission = campaign().now(), form.submission(version.language)
    solved: Solved | None = None
    if needs_challenge(petition, now):
        checked = check_challenge(petition, form, now=now)
        if isinstance(checked, str):
            return checked
        solved = checked
    with campaign().database.sessions.begin() as session:
        if solved is not None and not solved.spend(session):
            return USED_UP
        if form.is_from_machine:
            # It is told what a signer is told, and nothing else happens.
            count_post(session, petition.id, is_mailed=False)
            return None
        signature_id = sign(session, campaign().vault, petition, version, submission, now=now)
        found = watch().look(
            petition.id,
            signature_id,
            network=network,
            comment=submission.person.comment,
            domain=submission.address.domain,
            now=now,
        )
        note_suspicions(session, petition.id, signature_id, found)
    return None


@blueprint.get("/<lang>/p/<slug>/check-your-mail")
@entry(Entry.PUBLIC)
def check_mail(lang: str, slug: str) -> str:
    with campaign().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        return render_template(
            "petition/check_mail.html", petition=petition, texts=texts_of(petition), outbox=outbox_address()
        )


def outbox_address() -> str | None:
    """Where a newcomer without a mail server reads the mail."""
    settings = campaign().settings
    return "/outbox" if settings.is_local and not settings.smtp_url else None


@blueprint.get("/<lang>/p/<slug>/updates")
@entry(Entry.PUBLIC)
def updates(lang: str, slug: str) -> str:
    with campaign().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        return render_template(
            "petition/updates.html",
            petition=petition,
            texts=texts_of(petition),
            updates=_tell(list_updates(session, petition.id), _values(petition, count_confirmed(session, petition.id))),
            editions=[
                (edition.number, edition.made_at.astimezone(ZoneInfo(petition.timezone)).date())
                for edition in list_public_editions(session, petition.id, lang)
            ],
        )


@blueprint.get("/<lang>/p/<slug>/digest/<int(max=1000000):number>")
@entry(Entry.PUBLIC)
def edition(lang: str, slug: str, number: int) -> Response:
    with campaign().database.snapshots() as session:
        answer = mail_in_frame(get_public_edition(session, get_public(session, slug, lang), lang, number))
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@blueprint.get("/p/<slug>/count.json")
@entry(Entry.PUBLIC)
def count(slug: str) -> Response:
    with campaign().database.snapshots() as session:
        petition = get_petition(session, slug)
        if petition.state is PetitionState.DRAFT:
            abort(404)
        as_of = campaign().now().replace(microsecond=0).isoformat()
        answer = make_response(
            jsonify(confirmed=count_confirmed(session, petition.id), goal=petition.goal, as_of=as_of)
        )
    answer.headers["Cache-Control"] = "public, max-age=10"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
