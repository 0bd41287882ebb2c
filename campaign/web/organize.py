"""Being written."""

from flask import Blueprint

blueprint = Blueprint("organize", __name__, url_prefix="/organize")
