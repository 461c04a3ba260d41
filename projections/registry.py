"""Every projection by name, and the effects that previews show. A new projection is added here."""

from projections.cashflow.projector import CASHFLOW
from projections.customers.projector import CUSTOMERS
from projections.engine.effects import Effect
from projections.engine.projection import Projection
from projections.forecasting.projector import FORECASTING
from projections.identity.projector import IDENTITY
from projections.inventory.projector import INVENTORY
from projections.recommendations.effects import RECOMMENDATIONS_EFFECT
from projections.recommendations.projector import RECOMMENDATIONS
from projections.sales.projector import SALES
from projections.uploads.projector import UPLOADS

REGISTRY: dict[str, Projection] = {
    p.name: p for p in (IDENTITY, SALES, UPLOADS, INVENTORY, CASHFLOW, CUSTOMERS, FORECASTING, RECOMMENDATIONS)
}
EFFECTS: tuple[Effect, ...] = (RECOMMENDATIONS_EFFECT,)
