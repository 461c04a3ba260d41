-- Returns whether a session is active: it has not ended or expired, its account is active and, where the token says so, still
-- an operator's.
CREATE OR REPLACE FUNCTION credentials.session_is_active(p_family uuid, p_user bigint, p_staff boolean)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM credentials.sessions s JOIN credentials.users u ON u.user_id = s.user_id
        WHERE s.family = p_family AND s.user_id = p_user AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
            AND u.is_active AND (u.is_staff OR NOT p_staff));
$$;
