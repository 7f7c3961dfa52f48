// The clients that pages use, each as its own package has it, told that this is a browser.

import { createRequire } from 'node:module';

import { createCable, backoffWithJitter } from '@anycable/core';

import { BrowserSocket } from './page.mjs';

const require = createRequire(import.meta.url);

/**
 * {name, open(url)}; `open` gives {follow(channel, params, received), close()}, and `follow` gives
 * {outcome}: a promise of 'confirmed' or 'rejected'.
 */
export const CLIENTS = [
  rails('@rails/actioncable 7', require('actioncable-7')),
  rails('@rails/actioncable 8', require('@rails/actioncable')),
  anycable('@anycable/core', 'actioncable-v1-json'),
  anycable('@anycable/core, extended', 'actioncable-v1-ext-json'),
];

function rails(name, { adapters, createConsumer }) {
  adapters.WebSocket = BrowserSocket;
  const open = (url) => {
    const consumer = createConsumer(url);
    return {
      follow(channel, params, received) {
        const outcome = new Promise((resolve) => {
          consumer.subscriptions.create({ channel, ...params }, {
            connected: () => resolve('confirmed'),
            rejected: () => resolve('rejected'),
            received,
          });
        });
        return { outcome };
      },
      close: () => consumer.disconnect(),
    };
  };
  return { name, open };
}

function anycable(name, protocol) {
  const open = (url) => {
    const cable = createCable(url, {
      protocol,
      websocketImplementation: BrowserSocket,
      logLevel: 'error',
      // Its own strategy, with a bound: a test has no minutes to wait.
      reconnectStrategy: backoffWithJitter(1000, { maxInterval: 3000 }),
    });
    return {
      follow(channel, params, received) {
        const subscription = cable.subscribeTo(channel, params);
        subscription.on('message', received);
        const outcome = new Promise((resolve) => {
          subscription.on('connect', () => resolve('confirmed'));
          subscription.on('close', (error) => resolve(error?.name === 'SubscriptionRejectedError' ? 'rejected' : `closed: ${error}`));
        });
        return { outcome };
      },
      close: () => cable.disconnect(),
    };
  };
  return { name, open };
}
