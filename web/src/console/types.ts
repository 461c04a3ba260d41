/** The schemas of the API that the console shows. */
import type { components } from "../shared/schema.d.ts";

type Schemas = components["schemas"];

export type Health = Schemas["AdminHealth"];
export type Projection = Schemas["ProjectionState"];
export type Generation = Schemas["Generation"];
export type Changed = Schemas["PreviewedChanges"];
export type Rule = Schemas["RuleState"];
export type Parked = Schemas["ParkedBusiness"];
export type LogState = Schemas["LogState"];
export type Job = Schemas["Job"];
export type JobsAccepted = Schemas["JobsAccepted"];
export type Recorded = Schemas["RecordedEvent"];
export type EventPage = Schemas["EventPage"];
export type EventDetails = Schemas["EventDetails"];
export type EventLink = Schemas["EventLink"];
export type Account = Schemas["AccountEntry"];
export type Entry = Schemas["AuditEntry"];
export type Explained = Schemas["Explanation"];

/** A parameter of a rule: a number, or several in ascending order. */
export type Parameter = number | number[];
