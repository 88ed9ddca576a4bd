// A real OpenID Connect provider for the tests: the certified oidc-provider on a random port of the loopback, with signed user information.
// Arguments: the portal's callback address, its home. Prints one JSON line, { issuer }, once it listens.
// The subject is what is typed in the provider's own form; PUT /address/SUBJECT/EMAIL says its address.
// PUT /forge/KIND makes it lie from then on, as an attacker between it and the portal would; PUT /forge/ makes it honest again.
import { createPrivateKey, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [redirect, home] = process.argv.slice(2);
const newKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const key = { ...newKey().export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };
const stranger = newKey();
const addresses = {};
let forge = "";

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function sign(claims, privateKey) {
  const text = `${b64({ alg: "RS256", kid: key.kid, typ: "JWT" })}.${b64(claims)}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
}
const lies = {
  none: (claims) => `${b64({ alg: "none", kid: key.kid })}.${b64(claims)}.`,
  key: (claims) => sign(claims, stranger),
  sub: (claims) => sign({ ...claims, sub: "someone-else" }, createPrivateKey({ key, format: "jwk" })),
  aud: (claims) => sign({ ...claims, aud: "another-portal" }, createPrivateKey({ key, format: "jwk" })),
  iss: (claims) => sign({ ...claims, iss: "https://elsewhere.example" }, createPrivateKey({ key, format: "jwk" })),
  exp: (claims) => sign({ ...claims, exp: 1_000_000_000 }, createPrivateKey({ key, format: "jwk" })),
};
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: [{
      client_id: "bocage", client_secret: "secret-de-test", redirect_uris: [redirect], post_logout_redirect_uris: [home],
      response_types: ["code"], grant_types: ["authorization_code"], token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "RS256", userinfo_signed_response_alg: "RS256",
    }],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true }, jwtUserinfo: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    claims: { openid: ["sub"], email: ["email"] },
    cookies: { keys: ["test"] },
    findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, email: addresses[sub] }) }),
  });
  provider.use(async (ctx, next) => {
    await next();
    const [where, how] = forge.split("-");
    if (where === "userinfo" && ctx.path === "/me") {
      if (how === "json") { ctx.body = claimsOf(ctx.body); ctx.type = "application/json"; } else ctx.body = lies[how](claimsOf(ctx.body));
    }
    if (where === "token" && ctx.path === "/token") ctx.body.id_token = lies[how](claimsOf(ctx.body.id_token));
  });
  const answer = provider.callback();
  server.on("request", (request, response) => {
    if (request.method !== "PUT") return answer(request, response);
    const [, what, first, second] = request.url.split("/");
    if (what === "forge") forge = first;
    else addresses[first] = second;
    response.end();
  });
  console.log(JSON.stringify({ issuer }));
});
