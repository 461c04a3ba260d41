/** What the API answers, as far as the owner's pages show it. */
export interface List<T, S = unknown> {
  count: number;
  results: T[];
  summary: S;
  next_cursor: string | null;
}

export interface Profile {
  id: number;
  name: string;
  type: string;
  phone_number: string | null;
  city: string | null;
  description: string | null;
  stats: { products: number; customers: number; total_transactions: number; total_revenue: number; last_transaction_date: string | null };
  is_demo: boolean;
}

export interface Sale {
  id: number;
  date: string;
  product_id: number;
  product_name: string | null;
  quantity: number;
  amount: number;
  unit_price: number | null;
  customer_id: number | null;
  customer_name: string | null;
  payment_method: string | null;
  data_source: string;
}

export interface SalesSummary {
  total_revenue: number;
  average_value: number;
  transaction_count: number;
}

export interface Advice {
  id: number;
  title: string;
  description: string;
  type: "reorder" | "cash_warning" | "retention" | "price_optimization";
  urgency: "high" | "medium" | "low";
  status: string;
  action_data: { recommended_qty?: number; product_id?: number; customers?: { customer_id: number; name: string | null }[] };
  stake: { amount: number; how: string } | null;
  expires_on: string | null;
  outcome: unknown;
}

export interface Today {
  date: string;
  actions: Advice[];
  at_stake: { amount: number };
  more: number;
}

export interface Executed {
  message: string;
  next_steps: string;
  side_effects: {
    note: string;
    order_list: { product_name: string; quantity: number; order_by: string | null; text: string }[];
    messages: { customer_id: number; name: string; phone: string | null; text: Record<string, string>; whatsapp: Record<string, string | null> }[];
  };
}

export interface Product {
  id: number;
  name: string | null;
  sku: string | null;
  unit: string | null;
  unit_price: number | null;
  cost: number | null;
  current_stock: number | null;
  stock_known: boolean;
  counted_at: string | null;
  reorder_point: number | null;
  reorder_point_auto: boolean;
  lead_time_days: number | null;
  pack_size: number | null;
  min_order: number | null;
  is_low_stock: boolean;
  sales_metrics: { sales_7d: number; sales_30d: number; avg_daily: number; last_sale: string | null };
  forecast: { next_7d_demand: number; stockout_predicted: boolean; days_until_stockout: number | null } | null;
}

export interface Customer {
  id: number;
  name: string | null;
  phone: string | null;
  notes: string | null;
  purchase_metrics: { total_spent: number; purchase_count: number; last_purchase: string | null; days_since: number | null; avg_value: number };
  churn_analysis: { rfm_segment: string; churn_risk_level: string; risk_reason: string | null } | null;
}

export interface Segments {
  champions: number;
  loyal: number;
  potential: number;
  at_risk: number;
  dormant: number;
  total: number;
}

export interface Debtor {
  customer_id: number;
  name: string | null;
  outstanding: number;
  oldest_sale: string | null;
  expected_date: string | null;
}

export interface Cash {
  forecast: {
    current_balance: number | null;
    projected_balance: { date: string; inflows: number; outflows: number; balance: number | null; low: number | null; high: number | null; lines: { line: string; amount: number; basis: string; category?: string }[] }[];
  };
  risk_analysis: { risk_level: string | null; warning: string | null; critical_date: string | null; critical_threshold: number | null; suggested_threshold: number | null };
  recommendations: { type: string; urgency: string; description: string }[];
  receivables: { total: number; expected: number; advances: number; ageing: Record<string, number>; customer_count: number; customers: Debtor[] };
  settings: { opening_balance: number | null; opening_date: string | null; critical_threshold: number | null } | null;
  warnings: (string | { message: string })[];
  /** `actual` once the opening balance is known; balances start at 0 before. */
  basis: "actual" | "estimated";
  data_as_of: string | null;
  stale: boolean;
}

export interface Expense {
  id: number;
  date: string;
  amount: number;
  category: string;
  recurring: string | null;
  ended_on: string | null;
}

export interface Forecast {
  id: number;
  product: { id: number; name: string | null };
  forecast_date: string | null;
  forecast_days: number;
  status: string;
  have: number | null;
  need: number | null;
  predicted_demand: { date: string; quantity: number; lower: number; upper: number }[];
  summary: { total_demand: number; total_lower: number; total_upper: number; avg_daily: number; peak_date: string | null } | null;
  stockout_risk: { will_stockout: boolean; days_until_stockout: number | null; recommendation: string | null; reorder_by: string | null; recommended_qty: number | null } | null;
  accuracy: { wape: number | null; naive_wape: number | null; windows: number | null } | null;
  model: string | null;
  data_as_of: string | null;
  stale: boolean;
}

export interface Upload {
  file_id: string;
  file_name: string;
  state: "pending" | "processing" | "completed" | "failed" | "undone";
  rows: number | null;
  created: number;
  duplicates: number;
  rejected: number;
  progress: number;
  created_at: string;
  completed_at: string | null;
  error?: { message: string; suggestions?: string[] } | string | null;
  warnings?: { message: string; suggestions?: string[] }[];
}

export interface Explained {
  table: string;
  row: Record<string, unknown> | null;
  steps: { position: number; topic: string; title: string; recorded_at: string; actor: string | null; changed: Record<string, [unknown, unknown]> }[];
}
