/**
 * React hooks and components for a call.
 *
 *     <CallProvider url={link}>
 *       <Replica /> <Captions /> <JoinButton />   // const { join } = useCall()
 *     </CallProvider>
 */

export { type CallContext, CallProvider, useCall } from "./call_provider";
export { Captions, DeviceSelect, LatencyReadOut, Replica, SelfView } from "./components";
export { type OwnDevices, type Said, useActivity, useCallEvent, useDevices, useLatency, useNetwork, useTranscript } from "./hooks";
