// Gets a token and uses it, with what Node.js has built in.
const form = new URLSearchParams({
  grant_type: "client_credentials",
  client_id: process.env.OPTUM_CLIENT_ID,
  client_secret: process.env.OPTUM_CLIENT_SECRET,
});
const granted = await fetch(process.env.OPTUM_TOKEN_URL, { method: "POST", body: form });
const { access_token: token } = await granted.json();
const answer = await fetch(`${process.env.OPTUM_BASE_URL}/oihub/claim/inquiry/v1`, {
  headers: { Authorization: `Bearer ${token}` },
});
console.log(JSON.stringify([granted.status, answer.status, await answer.json()]));
