"""Serving the devices of a session to Tango's clients, on other machines and in other languages."""

from concert.session.serving._process import Place, Server

__all__ = ["Place", "Server"]
