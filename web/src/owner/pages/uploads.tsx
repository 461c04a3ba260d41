/** Ledgers: choose one, watch it being read, and get the rows that were refused. */
import { download, replaying, upload } from "../../shared/api.ts";
import { useGet } from "../../shared/hooks.ts";
import { date, number, percent, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { useList } from "../../shared/list.ts";
import { Link, go } from "../../shared/router.tsx";
import { Act, Card, Chip, Data, Facts, Field, Form, Page, toast, type Values } from "../../shared/ui.tsx";
import type { Upload, UploadDetails } from "../types.ts";

const TONES: Record<string, string> = { failed: "bad", pending: "warn", processing: "warn", undone: "plain" };

export function UploadsPage() {
  const list = useList<Upload>("/data/uploads?limit=20");
  return (
    <Page title={t("nav.upload")} lead={t("upload.lead")}>
      {!replaying() && (
        <div class="columns">
          <Ledger />
          <Receipt />
        </div>
      )}
      <Data of={list}>
        {({ results, count }) => (
          <>
            {count > 0 && <h2 class="day-head">{t("upload.past")}</h2>}
            {count > 0 && (
              <ul class="rows">
                {results.map((of) => (
                  <li key={of.file_id}>
                    <Link class="row" to={`/upload/${of.file_id}`}>
                      <span class="main">
                        <span>{of.file_name}</span>
                        <small>{date(of.created_at, "moment")}</small>
                      </span>
                      <span class="side">
                        <Chip tone={TONES[of.state]}>{t(`upload.${of.state}`)}</Chip>
                        {of.rejected > 0 && <small class="bad">{t("upload.rejected.count", { count: of.rejected })}</small>}
                      </span>
                    </Link>
                  </li>
                ))}
              </ul>
            )}
            {list.more && <Act done={list.more}>{t("more.load", { left: count - results.length })}</Act>}
          </>
        )}
      </Data>
    </Page>
  );
}

function chosen(name: string): File | undefined {
  return document.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.files?.[0];
}

function Ledger() {
  const done = async (values: Values) => {
    const file = chosen("ledger");
    if (!file) return;
    const form = new FormData();
    form.append("file", file, file.name);
    const order = values["order"] ? `?date_order=${values["order"]}` : "";
    const { file_id } = await upload<{ file_id: string }>(`/data/upload-csv${order}`, form, crypto.randomUUID());
    go(`/upload/${file_id}`);
  };
  return (
    <Card title={t("upload.choose")}>
      <Form submit={t("upload.send")} done={done}>
        <Field label={t("upload.file")} name="ledger" type="file" required accept=".csv,text/csv" hint={t("upload.hint")} />
        <details>
          <summary>{t("upload.dates")}</summary>
          <Field label={t("upload.order")} name="order">
            {["", "dmy", "mdy", "ymd"].map((id) => (
              <option key={id} value={id}>
                {t(`order.${id || "auto"}`)}
              </option>
            ))}
          </Field>
        </details>
      </Form>
    </Card>
  );
}

function Receipt() {
  const done = async () => {
    const image = chosen("receipt");
    if (!image) return;
    const form = new FormData();
    form.append("image", image, image.name);
    await upload("/data/upload-receipt", form, crypto.randomUUID());
    toast(t("receipt.kept"));
  };
  return (
    <Card title={t("receipt.title")}>
      <Form submit={t("receipt.send")} tone="quiet" done={done}>
        <Field label={t("receipt.file")} name="receipt" type="file" required accept="image/*" capture="environment" hint={t("receipt.hint")} />
      </Form>
    </Card>
  );
}

export function UploadPage({ id }: { id: string }) {
  const first = useGet<UploadDetails>(`/data/uploads/${id}`);
  const busy = first.data === undefined || ["pending", "processing"].includes(first.data.state);
  const read = useGet<UploadDetails>(`/data/uploads/${id}`, busy || first.data?.state === "completed" ? 1 : undefined);
  const of = read.data ?? first.data;
  return (
    <Page title={of?.file_name ?? t("nav.upload")}>
      <Data of={read}>{(found) => <Progress of={found} />}</Data>
    </Page>
  );
}

function Progress({ of }: { of: UploadDetails }) {
  const busy = ["pending", "processing"].includes(of.state);
  const failure = of.error;
  return (
    <Card title={t(`upload.${of.state}.title`)} aside={<Chip tone={TONES[of.state]}>{t(`upload.${of.state}`)}</Chip>}>
      {busy && (
        <label class="field">
          <span>{percent(of.progress)}</span>
          <progress max={1} value={of.progress} />
        </label>
      )}
      <Facts
        of={[
          [t("upload.rows"), of.rows === null ? "–" : number(of.rows)],
          [t("upload.created"), <strong class="good">{number(of.created)}</strong>],
          [t("upload.duplicates"), number(of.duplicates)],
          [t("upload.rejected"), <strong class={of.rejected ? "bad" : ""}>{number(of.rejected)}</strong>],
        ]}
      />
      {failure && (
        <div class="problem" role="alert">
          <Icon name="alert" />
          <div>
            <strong>{failure.message}</strong>
            {(failure.suggestions ?? []).map((text) => (
              <p key={text}>{text}</p>
            ))}
          </div>
        </div>
      )}
      {(of.warnings ?? []).map((warning) => (
        <p key={warning.message} class="note">
          <Icon name="idea" />
          <span>
            {warning.message} {(warning.suggestions ?? []).join(" ")}
          </span>
        </p>
      ))}
      {of.rejected > 0 && !busy && <p class="soft">{t("upload.rejected.next")}</p>}
      <div class="buttons">
        {of.rejected > 0 && !busy && (
          <Act class="primary" done={() => download(`/data/uploads/${of.file_id}/errors.csv`, `${of.file_name.replace(/\.csv$/i, "")}-rejected.csv`)}>
            {t("upload.rejected.get")}
          </Act>
        )}
        {!busy && (
          <Link class={of.rejected > 0 ? "quiet" : "primary"} to={of.state === "completed" ? "/" : "/upload"}>
            {t(of.state === "completed" ? "upload.see" : "upload.again")}
          </Link>
        )}
      </div>
    </Card>
  );
}
