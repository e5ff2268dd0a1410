/** The SDK: a customer's chat, and a coordinator's console, over Phoenix Channels. */
export { AISessionClient, type AISessionClientOptions, type SessionMessage } from "./ai-session-client.js";
export { Chat } from "./chat.js";
export { ChatError, type InvalidField } from "./chat-error.js";
export type { ChatOptions, ChatStatus, ChatView, Typist } from "./chat-view.js";
export type { Choice, Component, FormField } from "./component.js";
export { withoutQuestions } from "./component.js";
export type { ConnectionOptions, ConnectionStatus, TokenReason, TokenSource } from "./connection.js";
export type * from "./console-events.js";
export { Coordinator, type CoordinatorOptions } from "./coordinator.js";
export type { ChatAction, ChatEntry } from "./entry.js";
export { History, type HistoryOptions } from "./history.js";
export type { KeyValueStorage } from "./outbox.js";
export type { Receipt } from "./receipt.js";
export type { RunningAnswer, Step } from "./running.js";
export type { Holder, Intent, SessionUpdate } from "./session.js";
