"""The groups of endpoints in the API documentation, in their order."""

TAGS = [
    {"name": "Auth", "description": "Accounts, sessions and passwords"},
    {"name": "Business", "description": "The profile of the shop"},
    {"name": "Data", "description": "Uploads of sales files and receipts"},
    {"name": "Transactions", "description": "Sales and other transactions"},
    {"name": "Products", "description": "Products and their stock"},
    {"name": "Customers", "description": "Customers and their churn risk"},
    {"name": "Cash flow", "description": "Cash balance, expenses and baki"},
    {"name": "Forecasts", "description": "Demand of products and the risk of running out"},
    {"name": "Recommendations", "description": "What to do next"},
    {"name": "Notices", "description": "What happens, while it happens"},
    {"name": "Time travel", "description": "The shop as known on an earlier day, and explanations of its figures"},
    {"name": "Log", "description": "Proofs that an event is in the log"},
    {"name": "Admin", "description": "For staff"},
    {"name": "Health", "description": "Probes and metrics, without the envelope"},
]
