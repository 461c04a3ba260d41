/** The log: newest events first, live where wanted, and one event with what caused it. */
import { get, type Answer } from "../../shared/api.ts";
import { useGet, useRead } from "../../shared/hooks.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { Link, filter, query } from "../../shared/router.tsx";
import { Card, Data, Empty, Facts, Page } from "../../shared/ui.tsx";
import { Filter, Json, filters } from "../parts.tsx";
import type { Recorded } from "../types.ts";

interface Log {
  results: Recorded[];
  head: number;
  next_after: number | null;
}

const SHOWN = 50;
const BACK = [SHOWN, 1000, 20_000, Number.MAX_SAFE_INTEGER];

/** The newest events that fit the filters: read from ever further back until there are enough or the log begins. */
async function newest(chosen: string, before: number | null): Promise<Answer<Log>> {
  const { data: start, keptAt } = await get<Log>("/admin/events?limit=1");
  const end = Math.min(before ?? start.head + 1, start.head + 1);
  let found: Recorded[] = [];
  for (const back of BACK) {
    const from = Math.max(0, end - 1 - back);
    found = [];
    for (let after: number | null = from; after !== null && after < end - 1 && found.length < 1000; ) {
      const { data }: Answer<Log> = await get<Log>(`/admin/events?limit=100&after=${after}${chosen}`);
      found.push(...data.results.filter((event) => event.position < end));
      after = data.next_after;
    }
    if (found.length >= SHOWN || from === 0) break;
  }
  return { keptAt, data: { ...start, results: found.slice(-SHOWN).reverse() } };
}

export function EventsPage() {
  const chosen = filters("topic", "business_id");
  const before = query().get("before");
  const live = query().get("live") === "on" && !before;
  const log = useRead<Log>(`events ${chosen} ${before ?? ""}`, () => newest(chosen, before ? Number(before) : null), live ? 2 : undefined);
  return (
    <Page
      title={t("nav.events")}
      lead={log.data && t("events.head", { head: number(log.data.head) })}
      action={
        <label class="live">
          <input type="checkbox" checked={live} onChange={(event) => filter("live", event.currentTarget.checked ? "on" : "")} /> {t("events.live")}
        </label>
      }
    >
      <div class="filters">
        <Filter name="topic" />
        <Filter name="business_id" />
        <Filter name="before" />
      </div>
      <Data of={log}>{(of) => (of.results.length === 0 ? <Empty icon="list" title={t("events.none")} /> : <Rows of={of.results} />)}</Data>
    </Page>
  );
}

function Rows({ of }: { of: Recorded[] }) {
  const last = of.at(-1)?.position ?? 0;
  return (
    <>
      <ul class="rows">
        {of.map((event) => (
          <li key={event.position}>
            <details>
              <summary class="row">
                <span class="num soft">{number(event.position)}</span>
                <span class="main">
                  <strong>{event.topic}</strong>
                  <small class="mono">{event.stream}</small>
                </span>
                <span class="side">
                  <span>{date(event.recorded_at, "exact")}</span>
                  <small>{event.meta.actor ?? "–"}</small>
                </span>
              </summary>
              <div class="unfolded">
                <Link to={`/events/${event.position}`}>{t("events.open")}</Link>
                <Json of={{ meta: event.meta, data: event.data }} />
              </div>
            </details>
          </li>
        ))}
      </ul>
      {last > 1 && (
        <button type="button" class="quiet" onClick={() => filter("before", String(last))}>
          {t("events.older")}
        </button>
      )}
    </>
  );
}

export function EventPage({ id }: { id: string }) {
  const read = useGet<Recorded>(`/admin/events/${id}`);
  return (
    <Page title={read.data?.topic ?? t("event")} lead={t("event.at", { position: number(Number(id)) })}>
      <Data of={read}>
        {(of) => (
          <Card>
            <Facts
              of={[
                [t("stream"), <span class="mono">{`${of.stream} v${of.version}`}</span>],
                [t("business"), of.business_id === null ? "–" : <Link to={`/events?business_id=${of.business_id}`}>{number(of.business_id)}</Link>],
                [t("recorded_at"), date(of.recorded_at, "exact")],
                [t("actor"), of.meta.actor ?? "–"],
                [t("caused_by"), of.meta.causation ? <Link to={`/events/${of.meta.causation}`}>{number(of.meta.causation)}</Link> : "–"],
                [t("request"), <span class="mono">{of.meta.request_id ?? "–"}</span>],
                [t("hash"), <span class="mono">{of.hash ?? "–"}</span>],
              ]}
            />
            <Json of={of.data} />
            <div class="buttons">
              {of.position > 1 && (
                <Link class="quiet" to={`/events/${of.position - 1}`}>
                  {t("previous")}
                </Link>
              )}
              <Link class="quiet" to={`/events/${of.position + 1}`}>
                {t("next")}
              </Link>
            </div>
          </Card>
        )}
      </Data>
    </Page>
  );
}
