/** Who did what, when, to what and from where; as a file too. */
import { date, number, t } from "../../shared/i18n.ts";
import { useList } from "../../shared/list.ts";
import { Act, Data, Empty, Page, Table } from "../../shared/ui.tsx";
import { Filter, Json, State, filters } from "../parts.tsx";
import type { Entry } from "../types.ts";

export function AuditPage() {
  const audit = useList<Entry>(`/admin/audit?limit=50${filters("user_id", "business_id", "action", "date_from", "date_to")}`);
  const rows = audit.data?.results ?? [];
  return (
    <Page
      title={t("nav.audit")}
      action={
        rows.length > 0 && (
          <button type="button" class="quiet" onClick={() => save(rows)}>
            {t("audit.export", { count: rows.length })}
          </button>
        )
      }
    >
      <div class="filters">
        <Filter name="user_id" />
        <Filter name="business_id" />
        <Filter name="action" />
        <Filter name="date_from" type="date" />
        <Filter name="date_to" type="date" />
      </div>
      <Data of={audit}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon="baki" title={t("audit.none")} />
          ) : (
            <>
              <Table
                caption={t("nav.audit")}
                head={[t("time"), t("actor"), t("action"), t("business"), t("resource"), t("address"), t("state"), t("details")]}
                rows={results.map((entry) => [
                  date(entry.timestamp, "exact"),
                  entry.actor,
                  <strong>{entry.action}</strong>,
                  entry.business_id === null ? "–" : number(entry.business_id),
                  `${entry.resource_type} ${String(entry.resource_id ?? "").slice(0, 13)}`,
                  entry.ip_address ?? "–",
                  <State of={entry.status} />,
                  <details>
                    <summary>{t("details")}</summary>
                    <Json of={{ position: entry.position, resource_id: entry.resource_id, user_agent: entry.user_agent, details: entry.details }} />
                  </details>,
                ])}
              />
              {audit.more && <Act done={audit.more}>{t("more.load", { left: count - results.length })}</Act>}
            </>
          )
        }
      </Data>
    </Page>
  );
}

/** A cell of a CSV file; what a spreadsheet would take for a formula starts with an apostrophe. */
function cell(value: unknown): string {
  const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** Saves the entries that are shown as a CSV file. */
function save(entries: Entry[]): void {
  const names = ["timestamp", "actor", "user_id", "action", "business_id", "resource_type", "resource_id", "ip_address", "user_agent", "status", "details"] as const;
  const lines = [names.join(","), ...entries.map((entry) => names.map((name) => cell(entry[name])).join(","))];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
  link.download = "audit.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
