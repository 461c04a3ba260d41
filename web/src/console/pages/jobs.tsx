/** Jobs by state and kind, with their attempts, and trying one or all again that were given up. */
import { useState } from "preact/hooks";
import { post } from "../../shared/api.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { useList } from "../../shared/list.ts";
import { query } from "../../shared/router.tsx";
import { Act, Data, Empty, Facts, Page, Sheet, Table, toast } from "../../shared/ui.tsx";
import { Filter, State, filters } from "../parts.tsx";
import type { Job, JobsAccepted } from "../types.ts";

const STATES = ["", "failed", "pending", "running", "done", "all"];

export function JobsPage() {
  const jobs = useList<Job>(`/admin/jobs?limit=50${filters("state", "kind", "business_id")}`, 5);
  const retry = (id: string) => async () => {
    const { message } = await post<{ message: string }>(`/admin/jobs/${id}/retry`, {}, crypto.randomUUID());
    toast(message);
    jobs.again();
  };
  return (
    <Page title={t("nav.jobs")} action={(query().get("state") ?? "failed") === "failed" && (jobs.data?.count ?? 0) > 0 && <RetryAll again={jobs.again} />}>
      <div class="filters">
        <Filter name="state" options={STATES.slice(1)} />
        <Filter name="kind" />
        <Filter name="business_id" />
      </div>
      <Data of={jobs}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon="check" title={t("jobs.none")}>
              <p>{t("jobs.none.text")}</p>
            </Empty>
          ) : (
            <>
              <Table
                caption={t("nav.jobs")}
                head={[t("kind"), t("subject"), t("business"), t("state"), t("attempts"), t("error"), t("created_at"), ""]}
                rows={results.map((job) => [
                  <strong>{job.kind}</strong>,
                  <span class="mono">{job.subject}</span>,
                  job.business_id === null ? "–" : number(job.business_id),
                  <State of={job.state} />,
                  <Attempts of={job} />,
                  job.error ? <span class="bad">{job.error}</span> : "–",
                  date(job.created_at, "moment"),
                  job.state === "failed" ? <Act done={retry(job.id)}>{t("retry")}</Act> : "",
                ])}
              />
              {jobs.more && <Act done={jobs.more}>{t("more.load", { left: count - results.length })}</Act>}
            </>
          )
        }
      </Data>
    </Page>
  );
}

/** Retries all failed jobs that fit the filters, after saying how many they are. */
function RetryAll({ again }: { again: () => void }) {
  const [counted, setCounted] = useState<JobsAccepted>();
  const business = query().get("business_id");
  const wanted = { ...(query().get("kind") ? { kind: query().get("kind") } : {}), ...(business ? { business_id: Number(business) } : {}) };
  const close = () => setCounted(undefined);
  const count = async () => setCounted(await post<JobsAccepted>("/admin/jobs/retry", { ...wanted, dry_run: true }));
  const retry = async () => {
    const { retried, left } = await post<JobsAccepted>("/admin/jobs/retry", wanted, crypto.randomUUID());
    toast(t("jobs.retried", { retried, left }));
    close();
    again();
  };
  return (
    <>
      <Act done={count}>{t("jobs.retry.all")}</Act>
      {counted && (
        <Sheet title={t("jobs.retry.all")} close={close}>
          <p>{t("jobs.retry.text", { count: counted.matching })}</p>
          <Facts of={Object.entries(counted.kinds).map(([kind, jobs]) => [kind, number(jobs)])} />
          <div class="buttons">
            <Act class="primary" done={retry}>
              {t("confirm")}
            </Act>
            <button type="button" class="quiet" onClick={close}>
              {t("cancel")}
            </button>
          </div>
        </Sheet>
      )}
    </>
  );
}

function Attempts({ of }: { of: Job }) {
  if (of.history.length === 0) return <>{number(of.attempts)}</>;
  return (
    <details>
      <summary>{number(of.attempts)}</summary>
      {of.history.map((step) => (
        <p key={step.timestamp}>
          {date(step.timestamp, "exact")} · {step.event} · {step.actor} {step.error && <span class="bad">{step.error}</span>}
        </p>
      ))}
    </details>
  );
}
