// A real OpenID Connect provider for the tests: the certified oidc-provider, on a random port of the loopback, with signed user information.
// argv: the redirect address of the portal. Prints one JSON line { issuer } once it listens. Accounts: the name typed at sign-in is the subject.
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const [redirect, home] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };

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
    // « sub=x;email=y@z » lets a test say who signs in; a plain name has the address <name>@brenoux.example.
    findAccount: (_, id) => {
      const [sub, email] = id.split("|");
      return { accountId: id, claims: async () => ({ sub, email: email ?? `${sub}@brenoux.example` }) };
    },
  });
  server.on("request", provider.callback());
  console.log(JSON.stringify({ issuer }));
});
