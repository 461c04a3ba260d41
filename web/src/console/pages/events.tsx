/** The log: newest events first, live where wanted, and one event with what led to it and what it led to. */
import { get, type Answer } from "../../shared/api.ts";
import { useGet, useRead } from "../../shared/hooks.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { Link, filter, query } from "../../shared/router.tsx";
import { Card, Data, Empty, Facts, Page } from "../../shared/ui.tsx";
import { Filter, Json, filters } from "../parts.tsx";
import type { EventDetails, EventLink, EventPage as Log, Recorded } from "../types.ts";

const SHOWN = 50;
const REQUESTS = 5;
const ZONE = ":00+06:00";

/** The filters of the address bar; times are those of Dhaka. */
function chosen(): string {
  const times = (["since", "until"] as const).map((name) => [name, query().get(name)] as const).filter(([, value]) => value);
  return filters("topic", "business_id", "stream", "actor", "request_id") + times.map(([name, value]) => `&${name}=${encodeURIComponent(value + ZONE)}`).join("");
}

/** The newest events that fit; rare ones are looked for in several requests, and then further back by hand. */
async function newest(wanted: string, before: string | null): Promise<Answer<Log>> {
  let answer = await get<Log>(`/admin/events?order=desc&limit=${SHOWN}${wanted}${before ? `&before=${before}` : ""}`);
  const found = [...answer.data.results];
  for (let request = 1; request < REQUESTS && found.length < SHOWN && answer.data.next_before !== null; request++) {
    answer = await get<Log>(`/admin/events?order=desc&limit=${SHOWN}${wanted}&before=${answer.data.next_before}`);
    found.push(...answer.data.results);
  }
  return { ...answer, data: { ...answer.data, results: found } };
}

export function EventsPage() {
  const wanted = chosen();
  const before = query().get("before");
  const live = query().get("live") === "on" && !before;
  const log = useRead<Log>(`events ${wanted} ${before ?? ""}`, () => newest(wanted, before), live ? 2 : undefined);
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
        <Filter name="stream" />
        <Filter name="actor" />
        <Filter name="request_id" />
        <Filter name="since" type="datetime-local" />
        <Filter name="until" type="datetime-local" />
        <Filter name="before" />
      </div>
      <Data of={log}>{(of) => (of.results.length === 0 && of.next_before === null ? <Empty icon="list" title={t("events.none")} /> : <Rows of={of} />)}</Data>
    </Page>
  );
}

function Rows({ of }: { of: Log }) {
  return (
    <>
      <ul class="rows">
        {of.results.map((event) => (
          <li key={event.position}>
            <Row of={event} />
          </li>
        ))}
      </ul>
      {of.next_before !== null && (
        <button type="button" class="quiet" onClick={() => filter("before", String(of.next_before))}>
          {t("events.older")}
        </button>
      )}
    </>
  );
}

const text = (value: unknown): string => (value === undefined || value === null ? "–" : String(value));

function Row({ of }: { of: Recorded }) {
  return (
    <details>
      <summary class="row">
        <span class="num soft">{number(of.position)}</span>
        <span class="main">
          <strong>{of.topic}</strong>
          <small class="mono">{of.stream}</small>
        </span>
        <span class="side">
          <span>{date(of.recorded_at, "exact")}</span>
          <small>{text(of.meta["actor"])}</small>
        </span>
      </summary>
      <div class="unfolded">
        <Link to={`/events/${of.position}`}>{t("events.open")}</Link>
        <Json of={{ meta: of.meta, data: of.data }} />
      </div>
    </details>
  );
}

export function EventPage({ id }: { id: string }) {
  const read = useGet<EventDetails>(`/admin/events/${id}`);
  return (
    <Page title={read.data?.topic ?? t("event")} lead={t("event.at", { position: number(Number(id)) })}>
      <Data of={read}>{(of) => <Details of={of} />}</Data>
    </Page>
  );
}

function Details({ of }: { of: EventDetails }) {
  const [actor, request] = [text(of.meta["actor"]), text(of.meta["request_id"])];
  return (
    <div class="columns">
      <Card>
        <Facts
          of={[
            [t("stream"), <Link class="mono" to={`/events?stream=${encodeURIComponent(of.stream)}`}>{`${of.stream} v${of.version}`}</Link>],
            [t("business"), of.business_id === null ? "–" : <Link to={`/events?business_id=${of.business_id}`}>{number(of.business_id)}</Link>],
            [t("recorded_at"), date(of.recorded_at, "exact")],
            [t("actor"), <Link to={`/events?actor=${encodeURIComponent(actor)}`}>{actor}</Link>],
            [t("request"), <Link class="mono" to={`/events?request_id=${encodeURIComponent(request)}`}>{request}</Link>],
            [t("hash"), <span class="mono">{of.hash}</span>],
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
      <Card title={t("event.causation")}>
        <ol class="causation">
          {[...of.causes].reverse().map((cause) => (
            <Step key={cause.position} of={cause} />
          ))}
          <li aria-current="step">
            <span class="num soft">{number(of.position)}</span> <strong>{of.topic}</strong>
            {of.effects.length > 0 && (
              <ol class="causation">
                {of.effects.map((effect) => (
                  <Step key={effect.position} of={effect} />
                ))}
              </ol>
            )}
          </li>
        </ol>
        {of.causes.length + of.effects.length === 0 && <p class="soft">{t("event.alone")}</p>}
      </Card>
    </div>
  );
}

function Step({ of }: { of: EventLink }) {
  return (
    <li>
      <span class="num soft">{number(of.position)}</span> <Link to={`/events/${of.position}`}>{of.topic}</Link> <small class="soft">{date(of.recorded_at, "exact")}</small>
    </li>
  );
}
