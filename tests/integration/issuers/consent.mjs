// A person with a browser: opens an address of an authorization server, logs in and consents, or does not.
//
//   node consent.mjs yes|no AUTHORIZATION_URL REDIRECT_URI
//
// Prints the query with which the browser is sent to REDIRECT_URI.

const [answer, begin, end] = process.argv.slice(2);
const cookies = new Map();

async function open(url, form) {
  const response = await fetch(url, {
    method: form ? 'POST' : 'GET',
    body: form && new URLSearchParams(form),
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
  });
  for (const line of response.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=');
    cookies.set(name, value);
  }
  return response;
}

let url = begin;
let form;
for (let step = 0; step < 20; step += 1) {
  if (url.startsWith(end)) {
    console.log(new URL(url).search.slice(1));
    process.exit(0);
  }
  const response = await open(url, form);
  form = undefined;
  const text = await response.text();
  if (response.status >= 300 && response.status < 400) {
    url = new URL(response.headers.get('location'), url).href;
    continue;
  }
  if (response.status !== 200) throw new Error(`${url}: ${response.status} ${text}`);
  // A page that asks something.
  const prompt = /name="prompt" value="(\w+)"/.exec(text)[1];
  const submit = /action="([^"]+)"/.exec(text)[1];
  if (prompt === 'consent' && answer === 'no') {
    url = new URL(/href="([^"]+\/abort)"/.exec(text)[1], url).href;
  } else {
    url = new URL(submit, url).href;
    form = prompt === 'login' ? { prompt, login: 'alice', password: 'any' } : { prompt };
  }
}
throw new Error('the server asks and asks');
