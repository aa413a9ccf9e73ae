#!/usr/bin/env node
// A client of jaildaemon in JavaScript, for Node. Prints the daemon's answer; fails if that is a refusal.
'use strict';

const net = require('node:net');
const readline = require('node:readline');

const USAGE = `usage: client.js SOCKET add JAIL TITLE COMMAND
       client.js SOCKET list
       client.js SOCKET trigger|remove|get|output PROBE`;

const numberOrName = (word) => (/^[0-9]+$/.test(word) ? Number(word) : word);

function buildRequest(op, words) {
  if (op === 'add' && words.length === 3) {
    const [jail, title, command] = words;
    return { op, jail: numberOrName(jail), title, command, respawn: 'after' };
  }
  if (op === 'list' && words.length === 0) {
    return { op };
  }
  if (['trigger', 'remove', 'get', 'output'].includes(op) && words.length === 1) {
    return { op, probe: numberOrName(words[0]) };
  }
  console.error(USAGE);
  process.exit(2);
}

async function ask(path, request) {
  const connection = net.connect(path);
  connection.write(`${JSON.stringify(request)}\n`);
  for await (const line of readline.createInterface({ input: connection })) {
    connection.end();
    return JSON.parse(line);
  }
  throw new Error('no answer');
}

const [path, op, ...words] = process.argv.slice(2);
ask(path, buildRequest(op, words)).then(
  (answer) => {
    console.log(JSON.stringify(answer));
    process.exitCode = answer.ok ? 0 : 1;
  },
  (error) => {
    console.error(`${path}: ${error.message}`);
    process.exitCode = 1;
  },
);
