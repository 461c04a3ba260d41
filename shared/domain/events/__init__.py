"""The shop's events, a module per domain; importing any of them registers all with the codec."""

from shared.eventstore.catalogue import register_package

register_package(__name__, __path__)
