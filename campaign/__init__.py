"""Petition and digest software for solidarity movements.

A map of the package. Nouns are stored in ``models``, verbs are done in ``services``; three doors (``web``, ``cli``,
``worker``) open onto the same verbs, and ``wiring`` chooses the collaborators.

Who may import whom, checked by import-linter (pyproject.toml)::

    web | cli | worker → wiring → engine → services → mail → models → db
                       → settings | tokens | clock | vault | email_address | … → errors

Importing the package does nothing else.
"""

__version__ = "0.1.0"
