/** The schemas of the API that the owner's pages show. */
import type { components } from "../shared/schema.d.ts";

type Schemas = components["schemas"];

export interface List<T, S = unknown> {
  count: number;
  results: T[];
  summary: S;
  next_cursor: string | null;
}

export type Profile = Schemas["BusinessProfile"];
export type Sale = Schemas["Transaction"];
export type SalesSummary = Schemas["TransactionSummary"];
export type Series = Schemas["SalesSeries"];
export type Advice = Schemas["Recommendation"];
export type Today = Schemas["Today"];
export type Executed = Schemas["ExecutionAnswer"];
export type Product = Schemas["Product"];
export type Customer = Schemas["Customer"];
export type CustomerDetails = Schemas["CustomerWithDebt"];
export type Candidate = Schemas["MergeCandidate"];
export type Segments = Schemas["SegmentCounts"];
export type Debtor = Schemas["Debtor"];
export type Cash = Schemas["CashFlow"];
export type Expense = Schemas["Expense"];
export type ListedCollection = Schemas["ListedCollection"];
export type OpeningDebt = Schemas["ListedOpeningDebt"];
export type Forecast = Schemas["Forecast"];
export type Upload = Schemas["Upload"];
export type UploadDetails = Schemas["UploadDetails"];
export type Preview = Schemas["LedgerPreview"];
export type Question = Schemas["LedgerQuestion"];
export type Sums = Schemas["LedgerSums"];
export type Explained = Schemas["Explanation"];
export type NewSale = Schemas["NewSale"];
export type { Schemas };
