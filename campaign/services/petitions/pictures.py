"""The pictures of a petition's page, as they are served."""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, defer

from campaign.errors import NotFound
from campaign.media.pictures import Picture
from campaign.models import Petition, PetitionPicture, PictureKind
from campaign.services.petitions.file_schema import PetitionFile


def list_pictures(session: Session, petition_id: int) -> dict[PictureKind, PetitionPicture]:
    """The petition's pictures, without their content."""
    found = session.scalars(
        select(PetitionPicture)
        .where(PetitionPicture.petition_id == petition_id)
        .options(defer(PetitionPicture.content, raiseload=True))
    )
    return {picture.kind: picture for picture in found}


def get_picture(session: Session, slug: str, kind: PictureKind) -> PetitionPicture:
    """A picture of the petition with this ``slug``, with its content. Raises NotFound."""
    found = session.scalars(
        select(PetitionPicture)
        .join(Petition, Petition.id == PetitionPicture.petition_id)
        .where(Petition.slug == slug, PetitionPicture.kind == kind)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such picture.")
    return found


def replace_pictures(
    session: Session, petition: Petition, file: PetitionFile, pictures: Mapping[PictureKind, Picture]
) -> None:
    """Store the pictures of the campaign file in the place of the present ones."""
    session.execute(delete(PetitionPicture).where(PetitionPicture.petition_id == petition.id))
    for kind, picture in pictures.items():
        alt = getattr(file.look, kind).alt
        session.add(
            PetitionPicture(
                petition_id=petition.id,
                kind=kind,
                media_type=picture.media_type,
                digest=picture.digest,
                width=picture.width,
                height=picture.height,
                content=picture.content,
                alt={language: {"alt": alt[language]} for language in petition.languages},
            )
        )
