/** Money that was entered: lists whose entries can be voided, what was owed before the books began, and files of lists. */
import { useState } from "preact/hooks";
import { download, post, replaying } from "../../shared/api.ts";
import { date, day, money, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { useList } from "../../shared/list.ts";
import { Act, Card, Data, Field, Form, Sheet, numeric, toast, type Values } from "../../shared/ui.tsx";
import type { ListedCollection, OpeningDebt } from "../types.ts";

/** Saves all rows of a list, as filtered, as a CSV file. */
export function Export({ path, name }: { path: string; name: string }) {
  return (
    <Act class="icon" label={t("export.csv")} done={() => download(`${path}${path.includes("?") ? "&" : "?"}format=csv`, `${name}.csv`)}>
      CSV
    </Act>
  );
}

/** Voids one entry after asking why. */
export function VoidEntry({ path, name, again }: { path: string; name: string; again: () => void }) {
  const [asking, setAsking] = useState(false);
  if (replaying()) return null;
  const done = async (values: Values) => {
    await post(`${path}/void`, { reason: values["reason"] }, crypto.randomUUID());
    toast(t("entry.voided"));
    setAsking(false);
    again();
  };
  return (
    <>
      <button type="button" class="icon" aria-label={`${t("entry.void")}: ${name}`} onClick={() => setAsking(true)}>
        {t("entry.void")}
      </button>
      {asking && (
        <Sheet title={name} close={() => setAsking(false)}>
          <Form submit={t("entry.void")} tone="danger" done={done}>
            <p>{t("entry.void.text")}</p>
            <Field label={t("reason")} name="reason" required maxLength={500} />
          </Form>
        </Sheet>
      )}
    </>
  );
}

/** What customers paid of their baki, latest first. */
export function Collections({ again }: { again: () => void }) {
  const list = useList<ListedCollection>("/cashflow/collections?limit=10");
  const changed = () => {
    list.again();
    again();
  };
  return (
    <Card title={t("baki.collections")} aside={<Export path="/cashflow/collections" name="collections" />}>
      <Data of={list} rows={1}>
        {({ results, count }) => (
          <>
            {count === 0 && <p class="soft">{t("baki.collections.none")}</p>}
            <ul class="plain">
              {results.map((one) => (
                <Entry key={one.id} of={one} path={`/cashflow/collections/${one.id}`} again={changed} />
              ))}
            </ul>
            {list.more && <Act done={list.more}>{t("more.load", { left: count - results.length })}</Act>}
          </>
        )}
      </Data>
    </Card>
  );
}

function Entry({ of, path, again, note }: { of: ListedCollection; path: string; again: () => void; note?: string }) {
  const name = of.customer_name ?? t("unnamed");
  return (
    <li class="row bare">
      <span class="main">
        <span>{name}</span>
        <small>{[date(of.date, "full"), note].filter(Boolean).join(" · ")}</small>
      </span>
      <strong class="num">{money(of.amount)}</strong>
      <VoidEntry path={path} name={`${name} ${money(of.amount)}`} again={again} />
    </li>
  );
}

/** What customers owed, or had paid ahead, before the books began. */
export function OpeningDebts({ again }: { again: () => void }) {
  const list = useList<OpeningDebt>("/cashflow/opening-debts?limit=10");
  const [adding, setAdding] = useState(false);
  const changed = () => {
    setAdding(false);
    list.again();
    again();
  };
  return (
    <Card
      title={t("baki.opening")}
      aside={
        <span>
          <Export path="/cashflow/opening-debts" name="opening-debts" />
          {!replaying() && (
            <button type="button" class="quiet small" onClick={() => setAdding(true)}>
              <Icon name="plus" /> {t("add")}
            </button>
          )}
        </span>
      }
    >
      <p class="soft">{t("baki.opening.text")}</p>
      <Data of={list} rows={1}>
        {({ results, count }) => (
          <>
            <ul class="plain">
              {results.map((one) => (
                <Entry key={one.id} of={one} path={`/cashflow/opening-debts/${one.id}`} note={t(`opening.${one.kind}`)} again={changed} />
              ))}
            </ul>
            {list.more && <Act done={list.more}>{t("more.load", { left: count - results.length })}</Act>}
          </>
        )}
      </Data>
      {adding && <NewOpeningDebt done={changed} close={() => setAdding(false)} />}
    </Card>
  );
}

function NewOpeningDebt({ done, close }: { done: () => void; close: () => void }) {
  const save = async (values: Values) => {
    const body = { customer_name: values["customer"], amount: numeric(values, "amount"), date: values["date"], kind: values["kind"] };
    await post("/cashflow/opening-debts", body, crypto.randomUUID());
    toast(t("saved"));
    done();
  };
  return (
    <Sheet title={t("baki.opening")} close={close}>
      <Form submit={t("save")} done={save}>
        <Field label={t("customer")} name="customer" required maxLength={255} autocomplete="off" />
        <div class="pair">
          <Field label={t("amount")} name="amount" type="number" required />
          <Field label={t("baki.opening.date")} name="date" type="date" value={day()} max={day()} required />
        </div>
        <Field label={t("baki.opening.kind")} name="kind">
          {["debt", "advance"].map((kind) => (
            <option key={kind} value={kind}>
              {t(`opening.${kind}`)}
            </option>
          ))}
        </Field>
      </Form>
    </Sheet>
  );
}
