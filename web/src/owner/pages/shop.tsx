/** The shop and the account: profile, language, appearance, password, logging out. */
import { logOut } from "../../shared/account.ts";
import { patch, post, replaying, send, type Answer } from "../../shared/api.ts";
import { useRead } from "../../shared/hooks.ts";
import { language, speak, t, type Language } from "../../shared/i18n.ts";
import { Link } from "../../shared/router.tsx";
import { keepSession, session } from "../../shared/session.ts";
import { theme, useTheme, type Theme } from "../../shared/theme.ts";
import { Act, Card, Choice, Data, Field, Form, Page, toast, type Values } from "../../shared/ui.tsx";
import { waiting } from "../queue.ts";
import { profile } from "../shop.ts";
import type { Profile } from "../types.ts";

async function choose(chosen: string): Promise<void> {
  speak(chosen as Language);
  const answer = await send("PATCH", "/auth/me", { body: { language: chosen } });
  const { data } = (await answer.json()) as { data: { access_token: string } };
  const now = session();
  if (now) keepSession({ ...now, access: data.access_token, user: { ...now.user, language: chosen as Language } });
}

export function ShopPage() {
  const shop = useRead<Profile>("profile", profile as () => Promise<Answer<Profile>>);
  return (
    <Page title={t("nav.shop")} lead={session()?.user.email}>
      <Card title={t("shop.language")}>
        <Choice label={t("shop.language")} value={language()} choose={(id) => void choose(id)} options={[["bn", "বাংলা"], ["en", "English"]]} />
        <Choice label={t("shop.theme")} value={theme()} choose={(id) => useTheme(id as Theme)} options={(["auto", "light", "dark"] as const).map((id) => [id, t(`theme.${id}`)])} />
      </Card>
      {!replaying() && (
        <>
          <Card title={t("shop.profile")}>
            <Data of={shop}>{(of) => <ProfileForm of={of} />}</Data>
          </Card>
          <Card title={t("password.change")}>
            <Password />
          </Card>
        </>
      )}
      <Leave />
      {!replaying() && <Link to="/shop/close">{t("close.title")}</Link>}
    </Page>
  );
}

function ProfileForm({ of }: { of: Profile }) {
  const done = async (values: Values) => {
    await patch("/business/profile", { name: values["name"], city: values["city"] || null, phone_number: values["phone"] || null });
    toast(t("saved"));
    await profile();
  };
  return (
    <Form submit={t("save")} done={done}>
      <Field label={t("shop.name")} name="name" required maxLength={255} value={of.name} />
      <div class="pair">
        <Field label={t("shop.city")} name="city" maxLength={100} value={of.city ?? ""} />
        <Field label={t("phone")} name="phone" type="tel" maxLength={20} value={of.phone_number ?? ""} />
      </div>
    </Form>
  );
}

function Password() {
  const done = async (values: Values) => {
    await post("/auth/password", { current_password: values["current"], new_password: values["new"] });
    toast(t("password.changed"));
  };
  return (
    <Form submit={t("password.change")} tone="quiet" done={done}>
      <Field label={t("password.current")} name="current" type="password" required autocomplete="current-password" />
      <Field label={t("password.new")} hint={t("password.hint")} name="new" type="password" required autocomplete="new-password" />
    </Form>
  );
}

function Leave() {
  const unsent = waiting().length;
  const everywhere = async () => {
    await post("/auth/logout-all");
    await logOut();
  };
  return (
    <Card title={t("leave.title")}>
      <p class={unsent ? "warn" : "soft"}>{unsent ? t("leave.unsent", { count: unsent }) : t("leave.text")}</p>
      <div class="buttons">
        <Act class="danger" done={logOut}>
          {t("leave")}
        </Act>
        <Act done={everywhere}>{t("leave.everywhere")}</Act>
      </div>
    </Card>
  );
}
