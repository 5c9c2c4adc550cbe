// The API of GitLab for the notes of a merge request, on loopback: lists, creates and updates notes in memory. Keeps the
// commits and merge requests that are created.
// Prints its port; GET /requests returns what was asked.
import { createServer } from 'node:http';

const notes = [];
const requests = [];
const commits = [];
const mergeRequests = [];

// A field of a multipart form.
const formField = (body, name) => {
  const start = body.indexOf(`name="${name}"`);
  if (start < 0) return '';
  const text = body.slice(body.indexOf('\r\n\r\n', start) + 4);
  return text.slice(0, text.indexOf('\r\n--'));
};

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    const path = request.url.split('?')[0];
    const send = (value) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (path === '/requests') return send({ requests, notes, commits, mergeRequests });
    if (request.headers['private-token'] === 'evidence-token' && request.method === 'POST') {
      if (path.endsWith('/repository/commits')) commits.push(JSON.parse(body));
      else if (path.endsWith('/merge_requests')) mergeRequests.push(formField(body, 'source_branch'));
      return send({});
    }
    if (request.headers['private-token'] !== 'comment-token') {
      response.writeHead(401);
      return response.end();
    }
    requests.push(`${request.method} ${path}`);
    if (request.method === 'GET') return send(notes);
    const text = formField(body, 'body');
    if (request.method === 'POST') {
      notes.push({ id: notes.length + 1, body: text });
      return send(notes.at(-1));
    }
    const note = notes.find((note) => note.id === Number(path.split('/').at(-1)));
    note.body = text;
    return send(note);
  });
}).listen(0, '127.0.0.1', function () {
  console.log(this.address().port);
});
