/** Logging in, opening a shop, and a forgotten password; the address stays, so that one returns to where one was. */
import { useState } from "preact/hooks";
import { logIn, register } from "../../shared/account.ts";
import { send } from "../../shared/api.ts";
import { t } from "../../shared/i18n.ts";
import { go, path } from "../../shared/router.tsx";
import { Field, Form, toast, type Values } from "../../shared/ui.tsx";

const TYPES = ["retail", "restaurant", "pharmacy", "clothing", "electronics", "services", "other"];

export function Door() {
  const [view, setView] = useState<"login" | "register" | "forgotten">(path() === "/register" ? "register" : "login");
  return (
    <main id="main" class="door">
      <img class="mark" src="/icon.svg" alt="" width="64" height="64" />
      {view === "login" && <LogIn />}
      {view === "register" && <Register />}
      {view === "forgotten" && <Forgotten back={() => setView("login")} />}
      <div class="buttons">
        {view !== "register" && (
          <button type="button" class="quiet" onClick={() => setView("register")}>
            {t("door.register")}
          </button>
        )}
        {view !== "login" && (
          <button type="button" class="quiet" onClick={() => setView("login")}>
            {t("door.login")}
          </button>
        )}
        {view === "login" && (
          <button type="button" class="icon" onClick={() => setView("forgotten")}>
            {t("door.forgotten")}
          </button>
        )}
      </div>
    </main>
  );
}

function LogIn() {
  return (
    <>
      <h1 tabIndex={-1}>{t("door.welcome")}</h1>
      <p class="soft">{t("door.lead")}</p>
      <Form submit={t("door.login")} done={(values) => logIn(values["email"] ?? "", values["password"] ?? "")}>
        <Field label={t("email")} name="email" type="email" required autocomplete="username" />
        <Field label={t("password")} name="password" type="password" required autocomplete="current-password" />
      </Form>
    </>
  );
}

function Register() {
  const done = async (values: Values) => {
    await register(values);
    go("/", true);
  };
  return (
    <>
      <h1 tabIndex={-1}>{t("door.register")}</h1>
      <Form submit={t("door.open")} done={done}>
        <Field label={t("shop.name")} name="business_name" required maxLength={255} autocomplete="organization" />
        <Field label={t("shop.type")} name="business_type">
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {t(`type.${type}`)}
            </option>
          ))}
        </Field>
        <Field label={t("your.name")} name="first_name" required maxLength={100} autocomplete="given-name" />
        <Field label={t("email")} name="email" type="email" required autocomplete="username" />
        <Field label={t("password")} hint={t("password.hint")} name="password" type="password" required autocomplete="new-password" />
      </Form>
    </>
  );
}

function Forgotten({ back }: { back: () => void }) {
  const [email, setEmail] = useState<string>();
  const ask = async (values: Values) => {
    await send("POST", "/auth/password/reset-request", { body: { email: values["email"] } });
    setEmail(values["email"]);
  };
  const reset = async (values: Values) => {
    await send("POST", "/auth/password/reset", { body: { email, code: values["code"], new_password: values["password"] } });
    toast(t("password.changed"));
    back();
  };
  return (
    <>
      <h1 tabIndex={-1}>{t("door.forgotten")}</h1>
      <p class="soft">{t(email ? "door.code.sent" : "door.code.lead")}</p>
      {email === undefined ? (
        <Form key="ask" submit={t("door.code.send")} done={ask}>
          <Field label={t("email")} name="email" type="email" required autocomplete="username" />
        </Form>
      ) : (
        <Form key="reset" submit={t("password.change")} done={reset}>
          <Field label={t("door.code")} name="code" required inputMode="numeric" autocomplete="one-time-code" />
          <Field label={t("password.new")} hint={t("password.hint")} name="password" type="password" required autocomplete="new-password" />
        </Form>
      )}
    </>
  );
}
