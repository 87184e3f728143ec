"""The HTTP side of the mock: the only place that knows Connexion, Starlette and the server."""

from mock_server.app.root import create_app, served_document

__all__ = ["create_app", "served_document"]
