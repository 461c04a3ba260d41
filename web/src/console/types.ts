/** What the operators' addresses of the API answer, as far as the console shows it. */
export interface Health {
  services: Record<string, string>;
  processes: Record<string, number>;
}

export interface Projection {
  name: string;
  position: number;
  lag: number;
  generation: string;
  generation_id: number;
  projector_version: number;
  parked: number;
  state: string;
}

export interface Generation {
  id: number;
  projection: string;
  kind: string;
  state: string;
  business_id: number | null;
  position: number;
  progress: number;
  rate: number | null;
  eta_seconds: number | null;
  asked_by: string | null;
  created_at: string;
  changed_at: string;
  error?: string | null;
  equal?: boolean;
  rows?: number;
  differing?: number;
  businesses?: number;
  seconds?: number;
  differences?: Record<string, unknown>[];
  rules?: Record<string, { version: string; parameters: Record<string, unknown> }>;
  tables?: Record<string, Changed>;
  changed?: number;
  changed_businesses?: number;
  by_business?: { business_id: number; tables: Record<string, Changed> }[];
  recommendations?: { rows: number; changed: number };
}

export interface Changed {
  rows: number;
  changed: number;
  columns: Record<string, number>;
  moves: { column: string; from: unknown; to: unknown; rows: number }[];
}

export interface Rule {
  rule: string;
  version: string;
  since: number | null;
  parameters: Record<string, Parameter>;
  projections: string[];
  versions: { version: string; parameters: Record<string, Parameter> }[];
  allowed: Record<string, { least: number; most: number; items?: number }>;
  history: { version: string; since?: number | null; position?: number }[];
}

export type Parameter = number | number[];

export interface Job {
  id: string;
  kind: string;
  subject: string;
  business_id: number | null;
  state: string;
  attempts: number;
  error: string | null;
  created_at: string;
  next_attempt_at: string | null;
  history: { event: string; timestamp: string; actor: string; error: string | null }[];
}

export interface Recorded {
  position: number;
  stream: string;
  version: number;
  topic: string;
  business_id: number | null;
  recorded_at: string;
  meta: { actor?: string; request_id?: string; causation?: number };
  data: Record<string, unknown>;
  hash?: string;
}

export interface Account {
  id: number;
  email: string | null;
  first_name: string | null;
  language: string;
  is_staff: boolean;
  is_active: boolean;
  created_at: string;
  business: { id: number; name: string; type: string; city: string | null; is_demo: boolean } | null;
}

export interface Entry {
  position: number;
  user_id: number | null;
  actor: string;
  business_id: number | null;
  action: string;
  resource_type: string;
  resource_id: string | number | null;
  details: Record<string, unknown>;
  ip_address: string | null;
  user_agent: string | null;
  status: string;
  timestamp: string;
}

export interface Explained {
  table: string;
  id: string;
  business_id: number;
  row: Record<string, unknown> | null;
  steps: { position: number; topic: string; title: string; stream: string; recorded_at: string; actor: string | null; there: boolean; changed: Record<string, [unknown, unknown]> }[];
  unexplained: Record<string, unknown[]>;
}
