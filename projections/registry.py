"""Every projection by name, and the effects that previews show, collected from the packages of the domains."""

from projections.engine.effects import Effect
from projections.engine.projection import Projection, load
from shared.discovery import modules_of


def _projections() -> dict[str, Projection]:
    """Return the constant `<DOMAIN>` of every `projections/<domain>/projector.py` by the projection's name."""
    modules = [module.__name__ for module in modules_of("projections", "projector")]
    found = [load(f"{name}:{name.split('.')[1].upper()}") for name in modules]
    return {projection.name: projection for projection in found}


def _effects() -> tuple[Effect, ...]:
    """Return the constant `EFFECT` of every `projections/<domain>/effects.py`."""
    packages = {projection.package for projection in REGISTRY.values()}
    return tuple(m.EFFECT for m in modules_of("projections", "effects") if m.__package__ in packages)


REGISTRY = _projections()
EFFECTS = _effects()
