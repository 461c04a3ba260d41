/** Overview: services, processes, how far each read model is, failed jobs and the last verification. */
import { useEffect } from "preact/hooks";
import { Refused } from "../../shared/api.ts";
import { useGet, type Read } from "../../shared/hooks.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { Link } from "../../shared/router.tsx";
import { Card, Chip, Data, Page, Problem, Table } from "../../shared/ui.tsx";
import { Spark, State, duration } from "../parts.tsx";
import type { Generation, Health, Job, Projection } from "../types.ts";
import { LogCard } from "./log_state.tsx";

const EVERY = 3;
const SAMPLES = 60;
const ages = new Map<string, number[]>();

/** Keeps the age of what each projection has not applied, for the trend. */
function sampled(projections: Projection[]): void {
  for (const { name, lag_seconds: age } of projections) ages.set(name, [...(ages.get(name) ?? []), age].slice(-SAMPLES));
}

export function OverviewPage() {
  const health = useGet<Health>("/admin/health", EVERY);
  const projections = useGet<{ results: Projection[] }>("/admin/projections", EVERY);
  const failed = useGet<{ count: number; results: Job[] }>("/admin/jobs?limit=1", EVERY * 2);
  const waiting = useGet<{ count: number; results: Job[] }>("/admin/jobs?state=pending&limit=1", EVERY * 2);
  const generations = useGet<{ results: Generation[] }>("/admin/generations", EVERY * 2);
  return (
    <Page title={t("nav.overview")}>
      <Alive of={health} />
      <div class="lights">
        <Count label={t("overview.failed")} to="/jobs" value={failed.data?.count} bad />
        <Count label={t("overview.waiting")} to="/jobs?state=pending" value={waiting.data?.count} />
        <Count label={t("overview.parked")} to="/parked" value={projections.data?.results.reduce((sum, one) => sum + one.parked, 0)} bad />
        <Verified of={generations.data?.results ?? []} />
      </div>
      <Card title={t("nav.projections")} aside={<Link to="/projections">{t("details")}</Link>}>
        <Data of={projections}>{(of) => <Lags of={of.results} />}</Data>
      </Card>
      <LogCard />
    </Page>
  );
}

type Living = Pick<Health, "services" | "processes">;

/** The services and processes, also where one of them is down: the refusal says which. */
function Alive({ of }: { of: Read<Health> }) {
  if (!(of.error instanceof Refused) || of.error.code !== "SERVICE_DEGRADED") return <Data of={of}>{(all) => <Services of={all} />}</Data>;
  return (
    <>
      <Problem error={of.error} again={of.again} />
      <Services of={of.error.details as unknown as Living} />
    </>
  );
}

function Services({ of }: { of: Living }) {
  return (
    <div class="lights">
      {Object.entries(of.services).map(([name, state]) => (
        <Card key={name}>
          <span class="soft">{t(`service.${name}`)}</span>
          <div>
            <Chip tone={state === "ok" ? undefined : "bad"}>{t(`health.${state}`)}</Chip>
          </div>
        </Card>
      ))}
      {Object.entries(of.processes).map(([name, count]) => (
        <Card key={name}>
          <p class="tile">
            <span class="label">{t(`process.${name}`)}</span>
            <span class="value num">{number(count)}</span>
          </p>
        </Card>
      ))}
    </div>
  );
}

function Count({ label, value, to, bad }: { label: string; value: number | undefined; to: string; bad?: boolean }) {
  return (
    <Card>
      <Link class="tile" to={to}>
        <span class="label">{label}</span>
        <span class={`value num ${bad && value ? "bad" : ""}`}>{value === undefined ? "–" : number(value)}</span>
      </Link>
    </Card>
  );
}

function Verified({ of }: { of: Generation[] }) {
  const last = of.find((generation) => generation.kind === "verify");
  return (
    <Card>
      <Link class="tile" to={last ? `/generations/${last.id}` : "/projections"}>
        <span class="label">{t("overview.verified")}</span>
        <span class="value">{last ? <State of={last.state} /> : t("never")}</span>
        {last && <span class="how">{`${last.projection} · ${date(last.changed_at, "moment")}`}</span>}
      </Link>
    </Card>
  );
}

function Lags({ of }: { of: Projection[] }) {
  useEffect(() => sampled(of), [of]);
  return (
    <Table
      caption={t("nav.projections")}
      head={[t("projection"), t("position"), t("lag"), t("trend"), t("parked"), t("state")]}
      rows={of.map((one) => [
        <strong>{t(`projection.${one.name}`)}</strong>,
        <span class="num">{number(one.position)}</span>,
        <span class={`num ${one.lag ? "warn" : ""}`}>{one.lag ? `${duration(one.lag_seconds)} (${number(one.lag)})` : number(0)}</span>,
        <Spark of={ages.get(one.name) ?? []} label={t("lag")} />,
        <span class={one.parked ? "bad" : ""}>{number(one.parked)}</span>,
        one.stalled ? <Chip tone="bad">{t("stalled")}</Chip> : <State of={one.state} />,
      ])}
    />
  );
}
