/**
 * A client for visavis conversations, without a framework.
 *
 *     const call = await join(link, { microphone: await openDevice("microphone") });
 *     new Player(call, document.querySelector("video"));
 */

export { Activity, type Doing } from "./activity";
export { Call, join, type CallEvents, type EndReason, type JoinOptions, type State } from "./call";
export type { Shown } from "./connection";
export { canShareScreen, listDevices, openDevice, openDevices, permission, type Devices } from "./devices";
export { Emitter, type Listener } from "./emitter";
export { CallError, DeviceError, type Kind, type Problem, type Reason } from "./errors";
export { KeyedPicture } from "./green_screen";
export { measureLevel } from "./level_meter";
export { OwnMedia } from "./own_media";
export { Player } from "./player";
export type * from "./protocol";
export type { Level, NetworkQuality } from "./quality";
export { lookUp, type Conversation } from "./signalling";
export { Transcript, type Line } from "./transcript";
export { words, type Words } from "./words";
