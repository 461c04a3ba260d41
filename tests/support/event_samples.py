"""One example of every event in every version ever released, as today's classes understand it."""

import base64
import datetime as dt
from pathlib import Path

import msgspec

from shared.domain.events.cashflow import (
    CashSettingsChanged,
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
    Accuracy,
    BacktestWindow,
    DailyForecastsPlanned,
    ForecastDay,
    ForecastFailed,
    ForecastMade,
    ForecastRunCompleted,
    ForecastsRequested,
    ForecastSum,
    RevenueForecastMade,
    Rival,
    Short,
    TakingsDay,
)
from shared.domain.events.identity import (
    BusinessClosed,
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessProfileChanged,
    BusinessRegistered,
    LoggedIn,
    LoggedOut,
    LoginsRefused,
    PasswordChanged,
    PasswordResetRequested,
    SessionsRevoked,
    StaffCreated,
    UserProfileChanged,
    UserRegistered,
)
from shared.domain.events.inventory import (
    ProductDetailsChanged,
    ProductLine,
    ProductSheetRecorded,
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
    AskedChoice,
    AskedQuestion,
    CustomersAdded,
    Movement,
    MovementsRecorded,
    NewCustomer,
    NewProduct,
    ProductsAdded,
    ReceiptStored,
    Remark,
    Sale,
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
from shared.eventstore.event import Event
from shared.eventstore.system_events import (
    BusinessErased,
    DayCorrected,
    DayOpened,
    JobFailed,
    JobRetried,
    ParkedBusinessRetried,
    RuleActivated,
)
from tests.support.undo_samples import undo_samples

FILE = "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"
FAMILY = "0b7d3c52-5f0c-4a0e-8f3b-1f1a7c1b9d01"
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
KEY = base64.b64encode(bytes(range(16))).decode()
DAY = dt.date(2025, 11, 3)
SEALED = base64.b64encode(bytes(range(100, 160))).decode()

# (topic, version) -> what the golden file of that name decodes to.
SAMPLES: dict[tuple[str, int], Event] = {
    (event.topic, 1): event
    for event in (
        UserRegistered(12, KEY, SEALED, "bn"),
        BusinessRegistered(7, 12, "আলীর চায়ের দোকান", "restaurant", is_demo=True),
        StaffCreated(99, KEY, SEALED, "en"),
        UserProfileChanged(12, SEALED, "en"),
        BusinessProfileChanged(7, 12, "Ali's Tea Shop", "retail", "ঢাকা", "", SEALED),
        LoggedIn(12, FAMILY),
        LoggedOut(12, FAMILY),
        SessionsRevoked(12, [FAMILY, "f"], "reuse"),
        PasswordChanged(12, "reset"),
        PasswordResetRequested(12),
        LoginsRefused("2025-11-03T10:30", "c291cmNl", 17),
        JobFailed(FILE, "read_upload", FILE, 4, 'ValueError: "রহিম"\n'),
        UploadAccepted(FILE, "বিক্রি মে.csv", "May 2025", 10_485_760, SHA, 156, dedupe=False, date_order="dmy"),
        ProductsAdded([NewProduct(1, "মিষ্টি দই", "মিষ্টি দই", 12_345_650), NewProduct(2, "Tea", "tea", 1_000)]),
        CustomersAdded([NewCustomer(1, KEY, SEALED)]),
        SalesBatchRecorded(
            file_id=FILE,
            sales=[
                Sale(2, 1, dt.date(2025, 10, 1), 36_000, 1, 1, 2_000, 60_000, 0),
                Sale(4, 2, dt.date(2024, 2, 29), None, 2, None, 500, 1, None),
            ],
            payments=[("bkash", None), ("other", "চেক")],
            fingerprints=base64.b64encode(bytes(range(24))).decode(),
            duplicates=1,
            rejected=3,
            through_row=7,
        ),
        UploadCompleted(FILE, 156, 150, 4, 2, [Remark("PHONE_UNREADABLE", ["০১৭"]), Remark("X", [])]),
        UploadFailed(FILE, "AMBIGUOUS_DATES", {"example": "03/04/2025", "choices": ["dmy", "mdy"], "row": 2}),
        ReceiptStored(FILE, "image/png", 1_024, SHA, dt.date(2025, 11, 3)),
        FileDeleted(FILE, "ledger", 1_024),
        SaleRecorded(3, DAY, 36_000, 1, 1, 2_000, 60_000, ("other", "চেক"), base64.b64encode(bytes(12)).decode()),
        SaleVoided(3, "ভুল দাম", DAY, 36_000, 1, 1, 2_000, 60_000, "other"),
        MovementsRecorded(
            FILE,
            [
                Movement(3, 4, "return", DAY, 36_000, 1, 1, None, 1_000, 30_000, 0),
                Movement(5, 5, "expense", DAY, None, None, None, "দোকান ভাড়া", 0, 1_500_000, None),
            ],
            [("bkash", None)],
            base64.b64encode(bytes(range(24))).decode(),
        ),
        DayOpened(DAY),
        DayCorrected(DAY, DAY + dt.timedelta(1500), "rina"),
        CustomerDetailsChanged(1, SEALED, [KEY]),
        CustomersMerged(1, [2, 9]),
        CustomerDataErased(1, [2, 9], [KEY], KEY),
        ProductDetailsChanged(1, "T-1", "kg", 12_000, 9_000, 5_000, 3, 12_000, 24_000, ["sku"]),
        StockMoved(1, "adjust", -2_500, DAY, 86_399),
        StockEntryVoided(1, 3, "ভুল তাক গোনা", 41, "adjust", -2_500, DAY, 86_399),
        ProductSheetRecorded(FILE, [ProductLine(1, "T-1", 9_000, 12_000, DAY), ProductLine(2, None, None, None, None)]),
        CashSettingsChanged(5_000_000, DAY, 2_000_000),
        ExpenseRecorded(1, DAY, 1_500_000, "rent", "monthly"),
        ExpenseEnded(1, DAY),
        ExpenseVoided(1, "দুবার লেখা", DAY, 1_500_000),
        CollectionRecorded(1, DAY, 50_000, 1),
        CollectionVoided(1, "দুবার লেখা", DAY, 50_000, 1),
        OpeningDebtRecorded(1, "advance", DAY, 120_000, 1),
        OpeningDebtVoided(1, "দুবার লেখা", "advance", DAY, 120_000, 1),
        ForecastsRequested(FILE, "import", 7, DAY, [1, 2], True, [3], [Short(4, 12, 30)], 41, FILE),  # noqa: FBT003 - positional fields of an event
        ForecastMade(
            forecast_id=42,
            run_id=FILE,
            product_id=1,
            horizon=7,
            made_on=DAY,
            data_as_of=DAY,
            transactions=45,
            tier="short",
            model="blend",
            champion="blend",
            days=[ForecastDay(dt.date(2025, 11, 4), 3_000, 3_125, 0, 6_500, 950)],
            sums=[ForecastSum(7, 28_000, 20_125, 36_000)],
            levels=[50, 950],
            quantiles=[0, 6_500],
            accuracy=Accuracy(0.125, None, 0.2, 0.75, -0.05, 0.95, 0.25, 8, 45),
            rivals=[Rival("ets", 0.2, -0.05)],
            windows=[BacktestWindow(dt.date(2025, 10, 27), 120.5, {"ets": [3_000, 2_500]})],
            data_version=41,
            based_on={"sales": (3, 41)},
        ),
        ForecastFailed(FILE, 2, 7, DAY, "too_slow", "10 s"),
        RevenueForecastMade(
            FILE,
            DAY,
            DAY,
            "blend",
            [TakingsDay(dt.date(2025, 11, 4), 1_200_000, 800_000, 1_700_000)],
            Accuracy(None, "no_window", None, None, None, None, None, 0, 20),
            [BacktestWindow(dt.date(2025, 10, 27), 1e6, {"ets": [1_200_000_000]})],
            41,
            {"sales": (3, 41)},
        ),
        ForecastRunCompleted(FILE, 1, 2, 7, [1], [Short(4, 12, 30)], [2]),
        DailyForecastsPlanned(DAY, 17),
        RecommendationIssued(
            1,
            "reorder",
            "product-7",
            "high",
            88,
            80,
            276_000,
            "unmet_demand",
            {"product_id": 7, "stockout_on": "2025-11-05", "unit_price": None},
            DAY,
            "recommend.v1",
            {"inventory": (4, 41)},
        ),
        RecommendationRefreshed(
            1,
            "medium",
            56,
            70,
            4_500_000,
            "spent_90d",
            {"customer_ids": [1, 2, 3]},
            DAY,
            "recommend.v1",
            {"customers": (6, 42)},
        ),
        RecommendationWithdrawn(1, "resolved", {"inventory": (4, 43)}),
        RecommendationExpired(1, DAY),
        RecommendationViewed(1, 45),
        RecommendationExecuted(1, DAY, {"product_id": 7, "recommended_qty": 20_000}, DAY, ["recommended_qty"]),
        RecommendationDismissed(1, DAY, "আজ দোকান বন্ধ"),
        RecommendationFollowedUp(1, DAY, "stock_arrived", {"quantity": 20_000}),
        RuleActivated("stock", "stock.v1.2", {"service_level": 0.9, "lead_time_days": 5}, "user-99"),
        BusinessClosed(7, 12, "demo_reset"),
        DemoShopOpened(7, 12, 3, DAY, FILE),
        DemoShopFurnished(7),
        JobRetried(FILE, "read_upload", FILE),
        ParkedBusinessRetried(7, ["sales", "customers"]),
        BusinessErasureRequested(7, 12, dt.datetime(2025, 11, 10, 10, 30, tzinfo=dt.UTC)),
        BusinessErasureCancelled(7, 12),
        BusinessErased(7, 12, KEY),
    )
}
SAMPLES[UploadAccepted.topic, 2] = UploadAccepted(
    FILE,
    "বিক্রি মে.csv",
    "May 2025",
    10_485_760,
    SHA,
    156,
    dedupe=False,
    date_order="dmy",
    mapping={"amount": "মোট টাকা", "customer": "Who"},
)
SAMPLES[UploadAccepted.topic, 3] = msgspec.structs.replace(
    SAMPLES[UploadAccepted.topic, 2],
    answers={"DATE_ORDER": "dmy", "STATUS:নতুন": "sale"},
    layout="0123456789abcdef",
)
SAMPLES[UploadAccepted.topic, 4] = msgspec.structs.replace(
    SAMPLES[UploadAccepted.topic, 3], replaces="1e4ab003-7cef-4c97-a99b-55e9903ae4d1"
)
SAMPLES[SalesBatchRecorded.topic, 2] = SalesBatchRecorded(
    file_id=FILE,
    sales=[Sale(2, 11, dt.date(2025, 10, 1), 36_000, 1, 1, 2_000, 60_000, 0)],
    payments=[("bkash", None)],
    fingerprints=base64.b64encode(bytes(range(12))).decode(),
    duplicates=1,
    rejected=3,
    through_row=7,
    left_out=2,
    part_payments=[(11, 20_000)],
)
SAMPLES[SaleVoided.topic, 2] = SaleVoided(11, "ভুল দাম", DAY, 36_000, 1, 1, 2_000, 60_000, "bkash", 20_000)
SAMPLES[UploadCompleted.topic, 2] = msgspec.structs.replace(SAMPLES[UploadCompleted.topic, 1], rows=159, left_out=3)
for asked in (
    UploadQuestionsAsked(
        FILE,
        "0123456789abcdef",
        [
            AskedQuestion(
                "STATUS:নতুন",
                ["Status"],
                [2, 7],
                ["নতুন", "2"],
                [
                    AskedChoice("sale", proposed=True, sums=(60_000, 0, 60_000, 0, 0)),
                    AskedChoice("leave_out", proposed=False, sums=None),
                ],
            )
        ],
    ),
    UploadAnswered(FILE, "0123456789abcdef", {"STATUS:নতুন": "leave_out"}, {"amount": "মোট টাকা"}),
):
    SAMPLES[asked.topic, 1] = asked
for undone in undo_samples():
    SAMPLES[undone.topic, 1] = undone

GOLDEN = Path(__file__).parents[1] / "log" / "golden"


def golden(topic: str, version: int) -> Path:
    return GOLDEN / f"{topic}.v{version}.json"
