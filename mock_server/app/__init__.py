"""The HTTP side of the mock: the only place that knows Connexion, Starlette and the server."""

import warnings

from mock_server.app.deferred import defer, release

defer("connexion", "connexion.middleware", "requests", "jinja2")
with warnings.catch_warnings():
    # Connexion uses what jsonschema says will end. Nobody here can act on that.
    warnings.simplefilter("ignore")
    import connexion.spec  # noqa: F401

from mock_server.app.root import create_app, served_document  # noqa: E402  # what it imports is deferred by now

release("requests", "jinja2")  # of which nothing was imported, unlike of Connexion

__all__ = ["create_app", "served_document"]
