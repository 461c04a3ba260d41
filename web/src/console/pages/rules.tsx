/** Rules: what holds, what may be chosen, and trying it out before it holds. */
import { useState } from "preact/hooks";
import { post } from "../../shared/api.ts";
import { useGet } from "../../shared/hooks.ts";
import { number, t } from "../../shared/i18n.ts";
import { go } from "../../shared/router.tsx";
import { Act, Card, Chip, Data, Field, Page, toast } from "../../shared/ui.tsx";
import { Confirm } from "../parts.tsx";
import type { Parameter, Rule } from "../types.ts";

type Values = Record<string, Parameter>;

export function RulesPage() {
  const rules = useGet<{ results: Rule[] }>("/admin/rules");
  return (
    <Page title={t("nav.rules")} lead={t("rules.lead")}>
      <Data of={rules}>
        {(of) => of.results.map((rule) => <RuleCard key={`${rule.rule} ${rule.version}`} of={rule} again={rules.again} />)}
      </Data>
    </Page>
  );
}

function changed(of: Rule, values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(of.parameters[name])));
}

function RuleCard({ of, again }: { of: Rule; again: () => void }) {
  const [values, setValues] = useState<Values>(of.parameters);
  const wish = changed(of, values);
  const any = Object.keys(wish).length > 0;
  const preview = (projection: string) => async () => {
    const set = Object.fromEntries(Object.entries(wish).map(([name, value]) => [`${of.rule}.${name}`, value]));
    const { generation_id: id } = await post<{ generation_id: number }>(`/admin/projections/${projection}/preview`, { set });
    go(`/generations/${id}`);
  };
  const activate = async () => {
    const { version } = await post<{ version: string }>(`/admin/rules/${of.rule}/activate`, { parameters: wish });
    toast(t("rules.active", { version }));
    again();
  };
  const version = of.versions.find((one) => JSON.stringify(one.parameters) === JSON.stringify(values))?.version;
  return (
    <Card title={t(`rule.${of.rule}`)} aside={<Chip>{of.version}</Chip>}>
      {of.versions.length > 1 && (
        <Field label={t("version")} name={`version-${of.rule}`} value={version ?? ""} onChange={(event) => setValues(of.versions.find((one) => one.version === event.currentTarget.value)?.parameters ?? values)}>
          {version === undefined && <option value="">{t("rules.own")}</option>}
          {of.versions.map((one) => (
            <option key={one.version} value={one.version}>
              {one.version}
            </option>
          ))}
        </Field>
      )}
      {Object.entries(values).map(([name, value]) => (
        <Slider key={name} name={name} value={value} allowed={of.allowed[name]} change={(next) => setValues({ ...values, [name]: next })} />
      ))}
      <div class="buttons">
        {of.projections.map((projection) => (
          <Act key={projection} class={any ? "primary" : "quiet"} done={preview(projection)}>
            {t("rules.preview", { projection: t(`projection.${projection}`) })}
          </Act>
        ))}
        {any && <Confirm label={t("rules.activate")} text={t("rules.activate.text", { rule: t(`rule.${of.rule}`) })} done={activate} />}
        {any && (
          <button type="button" class="quiet" onClick={() => setValues(of.parameters)}>
            {t("rules.reset")}
          </button>
        )}
      </div>
      {of.history.length > 0 && <p class="soft">{t("rules.history", { versions: of.history.map((one) => one.version).join(", ") })}</p>}
    </Card>
  );
}

function Slider({ name, value, allowed, change }: { name: string; value: Parameter; allowed: { least: number; most: number } | undefined; change: (value: Parameter) => void }) {
  const [least, most] = [allowed?.least ?? 0, allowed?.most ?? 100];
  const step = most - least <= 1 || !Number.isInteger(Array.isArray(value) ? 1 : value) ? 0.01 : 1;
  if (Array.isArray(value)) {
    const set = (at: number, next: number) => change(value.map((one, index) => (index === at ? next : one)));
    return (
      <div class="param list">
        <span class="mono">{name}</span>
        <span class="many">
          {value.map((one, at) => (
            <input key={at} type="number" aria-label={`${name} ${at + 1}`} min={least} max={most} value={one} onChange={(event) => set(at, Number(event.currentTarget.value))} />
          ))}
        </span>
      </div>
    );
  }
  return (
    <div class="param">
      <span class="mono">
        {name} <small class="soft">{t("rules.range", { least: number(least), most: number(most) })}</small>
      </span>
      <input type="range" aria-label={name} min={least} max={most} step={step} value={value} onInput={(event) => change(Number(event.currentTarget.value))} />
      <input type="number" aria-label={`${name} =`} min={least} max={most} step={step} value={value} onChange={(event) => change(Number(event.currentTarget.value))} />
    </div>
  );
}
