"""Every projection, by name. To add one, write its projector and name it here."""

from projections.identity.projector import IDENTITY
from projections.projection import Projection
from projections.sales.projector import SALES
from projections.uploads.projector import UPLOADS

REGISTRY: dict[str, Projection] = {p.name: p for p in (IDENTITY, SALES, UPLOADS)}
