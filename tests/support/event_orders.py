"""The samples of all events as histories of one shop: nothing precedes what it refers to."""

from shared.domain.events.cashflow import (
    CollectionRecorded,
    CollectionVoided,
    ExpenseEnded,
    ExpenseRecorded,
    ExpenseVoided,
    OpeningDebtRecorded,
    OpeningDebtVoided,
)
from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.demo import DemoShopFurnished, DemoShopOpened
from shared.domain.events.forecasting import (
    ForecastFailed,
    ForecastMade,
    ForecastRunCompleted,
    ForecastsRequested,
    RevenueForecastMade,
)
from shared.domain.events.identity import (
    BusinessClosed,
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessRegistered,
    LoggedIn,
    LoggedOut,
    UserRegistered,
)
from shared.domain.events.inventory import (
    ProductDetailsChanged,
    ProductSheetRecorded,
    ProductSheetUndone,
    StockEntryVoided,
    StockMoved,
)
from shared.domain.events.recommendations import (
    RecommendationDismissed,
    RecommendationExecuted,
    RecommendationExpired,
    RecommendationFollowedUp,
    RecommendationIssued,
    RecommendationRefreshed,
    RecommendationViewed,
    RecommendationWithdrawn,
)
from shared.domain.events.sales import (
    CustomersAdded,
    MovementsRecorded,
    ProductsAdded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.domain.events.storage import FileDeleted
from shared.domain.events.uploads import (
    CustomersRemoved,
    MovementsUndone,
    ProductsRemoved,
    SalesBatchUndone,
    UploadUndone,
    UploadUndoRequested,
)
from shared.eventstore.event import Event
from shared.eventstore.system_events import BusinessErased, DayCorrected, DayOpened, JobFailed, JobRetried
from tests.support.event_samples import SAMPLES, golden

Sample = tuple[str, int]
_LINES: tuple[type[Event], ...] = (UploadAccepted, ProductsAdded, CustomersAdded)
_FORECASTS: tuple[type[Event], ...] = (ForecastMade, ForecastFailed, RevenueForecastMade)
# Event -> what it refers to. What is not listed refers to nothing but its shop or its owner.
CAUSES: dict[type[Event], tuple[type[Event], ...]] = {
    BusinessRegistered: (UserRegistered,),
    LoggedOut: (LoggedIn,),
    DemoShopFurnished: (DemoShopOpened,),
    JobRetried: (JobFailed,),
    UploadQuestionsAsked: (UploadAccepted,),
    UploadAnswered: (UploadQuestionsAsked,),
    SalesBatchRecorded: _LINES,
    MovementsRecorded: _LINES,
    UploadCompleted: (SalesBatchRecorded, MovementsRecorded),
    UploadFailed: (UploadAccepted,),
    FileDeleted: (UploadAccepted,),
    UploadUndoRequested: (UploadCompleted,),
    SalesBatchUndone: (UploadUndoRequested, SalesBatchRecorded),
    MovementsUndone: (UploadUndoRequested, MovementsRecorded),
    ProductSheetUndone: (UploadUndoRequested, ProductSheetRecorded),
    CustomersRemoved: (SalesBatchUndone, MovementsUndone, ProductSheetUndone),
    ProductsRemoved: (SalesBatchUndone, MovementsUndone, ProductSheetUndone),
    UploadUndone: (SalesBatchUndone, MovementsUndone, ProductSheetUndone),
    SaleRecorded: (ProductsAdded, CustomersAdded),
    SaleVoided: (SaleRecorded, SalesBatchRecorded),
    CustomerDetailsChanged: (CustomersAdded,),
    CustomersMerged: (CustomersAdded,),
    BusinessErasureCancelled: (BusinessErasureRequested,),
    CustomerDataErased: (CustomersAdded, CustomerDetailsChanged, CustomersMerged),
    ProductDetailsChanged: (ProductsAdded,),
    ProductSheetRecorded: (ProductsAdded,),
    StockMoved: (ProductsAdded,),
    StockEntryVoided: (StockMoved,),
    DayCorrected: (DayOpened,),
    ExpenseEnded: (ExpenseRecorded,),
    ExpenseVoided: (ExpenseRecorded,),
    CollectionVoided: (CollectionRecorded,),
    OpeningDebtRecorded: (CustomersAdded,),
    OpeningDebtVoided: (OpeningDebtRecorded,),
    CollectionRecorded: (CustomersAdded,),
    **dict.fromkeys(_FORECASTS, (ForecastsRequested, ProductsAdded)),
    ForecastRunCompleted: _FORECASTS,
    **dict.fromkeys(
        (
            RecommendationRefreshed,
            RecommendationWithdrawn,
            RecommendationExpired,
            RecommendationViewed,
            RecommendationExecuted,
            RecommendationDismissed,
        ),
        (RecommendationIssued,),
    ),
    RecommendationFollowedUp: (RecommendationExecuted,),
}


# The position at which a movement of stock is recorded: its void names it.
PLACES = {StockMoved.topic: 41}


def history(preferred: list[Sample]) -> list[Sample]:
    """Return the samples in the preferred order as far as causes and places allow; the shop closes last."""
    waiting, done = list(preferred), list[Sample]()
    while waiting:
        topics, position = {topic for topic, _ in waiting}, len(done) + 1
        possible = [sample for sample in waiting if not topics & _before(*sample)]
        due = [sample for sample in possible if PLACES.get(sample[0]) == position]
        placed_next = {
            cause for sample in waiting if PLACES.get(sample[0]) == position + 1 for cause in _before(*sample)
        }
        causes = [sample for sample in possible if sample[0] in placed_next]
        following = (due or causes or [sample for sample in possible if sample[0] not in PLACES])[0]
        waiting.remove(following)
        done.append(following)
    return done


def _before(topic: str, version: int) -> set[str]:
    """Return the topics of all events that precede a sample."""
    event = type(SAMPLES[topic, version])
    if event is BusinessClosed:
        return {other for other, _ in SAMPLES} - {topic, BusinessErased.topic}
    causes = [*CAUSES.get(event, ())]
    if event not in {UserRegistered, BusinessRegistered}:
        causes += [UserRegistered, BusinessRegistered]
    return {cause.topic for cause in causes}


LIVING = [sample for sample in SAMPLES if sample[0] != BusinessErased.topic]
HISTORIES = {
    "as_listed": history(LIVING),
    "by_name": history(sorted(LIVING, key=lambda sample: golden(*sample).name)),
    "latest_first": history(list(reversed(LIVING))),
}
"""Name -> the samples in an order in which a shop could have recorded them; an erased shop shows nothing."""
