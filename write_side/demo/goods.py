"""Products of the demo shop, a neighbourhood grocery in Dhaka; prices in taka."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Good:
    """A product: its name, what it is sold and bought for, its unit, and how much of it leaves the shop.

    share: how often it is in a basket, against the others; most: the largest number in one basket; feast: how many
    times as often before an Eid, rush: in the last days before today; on_hand: the days of usual sales that are left on
    the shelf today; lead_days: how long a delivery takes.
    """

    name: str
    sku: str
    price: int
    cost: int
    unit: str
    share: float
    most: int = 2
    feast: float = 1.0
    rush: float = 1.0
    on_hand: float = 12.0
    lead_days: int = 2


# The bestseller, asked for more than ever, is nearly gone, the tea is getting scarce; everything else lasts.
GOODS = (
    Good("সয়াবিন তেল ১ লিটার", "OIL-1L", 185, 168, "bottle", 1.8, feast=1.8, rush=4.0, on_hand=1.6, lead_days=3),
    Good("Miniket Rice", "RICE-MIN", 74, 65, "kg", 1.6, most=10, on_hand=14),
    Good("মসুর ডাল", "DAL-MAS", 140, 122, "kg", 1.1),
    Good("চিনি", "SUG-1", 128, 115, "kg", 1.0, feast=2.2),
    Good("চা পাতা ২০০ গ্রাম", "TEA-200", 110, 92, "packet", 0.7, on_hand=2.6, lead_days=4),
    Good("Milk Powder 500g", "MILK-500", 420, 385, "packet", 0.4, most=1, feast=2.0, lead_days=4),
    Good("ডিম", "EGG", 12, 10, "piece", 1.5, most=12, on_hand=9),
    Good("Toast Biscuit", "BIS-TOAST", 45, 35, "packet", 1.2),
    Good("সেমাই", "SEMAI", 55, 42, "packet", 0.2, most=3, feast=12.0, on_hand=40, lead_days=5),
    Good("Lux Soap", "SOAP-LUX", 65, 54, "piece", 0.9),
    Good("ডিটারজেন্ট ৫০০ গ্রাম", "DET-500", 95, 80, "packet", 0.7),
    Good("Instant Noodles", "NOOD", 22, 18, "packet", 1.3, most=4),
    Good("Soft Drink 500ml", "COLA-500", 40, 32, "bottle", 1.0, feast=1.8),
    Good("আলু", "POTATO", 38, 30, "kg", 1.2, most=4, on_hand=8, lead_days=1),
)
