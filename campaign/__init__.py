"""Petition and digest software for solidarity movements.

A map of the package. Data is stored by ``models`` and changed by ``services``. Three doors (``web``, ``cli``,
``worker``) call the same services, and ``installation.wiring`` chooses the collaborators.

Who may import whom, checked by import-linter (pyproject.toml)::

    __main__ → run → web | cli | worker → installation → doctor → jobs → services → mail → models → db
             → media : settings : crypto → text → i18n : logs : clock : periods → errors

Importing the package has no other effect.
"""

__version__ = "0.1.0"
