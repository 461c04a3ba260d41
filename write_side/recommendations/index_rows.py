"""Public ids of recommendations."""

from shared.domain.events.recommendations import RecommendationIssued
from shared.eventstore.index_rows import DomainIndex, NumberedEvent

INDEX = DomainIndex(
    numbered={RecommendationIssued: NumberedEvent("recommendation", lambda event: event.recommendation_id)}
)
