/** The texts in Chinese, simplified. */

import type { Kind } from "@visavis/client";

import type { Strings } from "../strings";

const device: Record<Kind, string> = { microphone: "麦克风", camera: "摄像头" };
const without: Record<Kind, string> = {
  microphone: "没有麦克风也可以加入并打字，您仍能看到和听到虚拟人。",
  camera: "没有摄像头也可以正常通话。",
};

function allow(name: string, userAgent: string, embedded: boolean): string {
  const framed = embedded ? "嵌入此页面的网页也必须允许。" : "";
  if (/Firefox/.test(userAgent)) return `${framed}在 Firefox 中点击地址旁带斜线的图标，取消阻止，然后重试。`;
  if (/iPhone|iPad/.test(userAgent)) return `${framed}轻点地址栏中的页面设置图标，打开“网站设置”，将${name}设为“允许”，然后重试。`;
  if (/Android/.test(userAgent)) return `${framed}轻点地址左侧的图标，打开“权限”，允许使用${name}，然后重试。`;
  if (/Safari/.test(userAgent) && !/Chrom/.test(userAgent)) return `${framed}在 Safari 菜单中选择“此网站的设置”，将${name}设为“允许”，然后重试。`;
  return `${framed}点击地址左侧的图标，打开${name}权限，然后重试。`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} 秒` : `${Math.floor(whole / 60)} 分 ${whole % 60} 秒`;
}

export const chinese: Strings = {
  texts: {
    "page.loading": "请稍候…",
    "lobby.join": "加入",
    "lobby.joining": "正在连接…",
    "lobby.own": "您的摄像头画面",
    "lobby.devices": "麦克风、摄像头和扬声器",
    "lobby.microphone": "麦克风",
    "lobby.camera": "摄像头",
    "lobby.speaker": "扬声器",
    "lobby.level": "麦克风音量",
    "lobby.private": "摄像头画面只留在此浏览器中，只会发送您说的话和输入的文字。",
    "lobby.seen": "您说的话和输入的文字会发送到此通话的服务器；摄像头开启时，画面也会发送。",
    "call.region": "通话",
    "call.replica": "虚拟人的画面",
    "call.own": "您的摄像头画面。拖动或使用方向键可移到其他角落。",
    "call.controls": "通话控制",
    "call.tap": "点按以收听",
    "call.stop": "停止",
    "call.leave": "离开",
    "call.ai": "AI",
    "call.seen": "看得到您",
    "call.screen-seen": "正在共享您的屏幕",
    "call.weak": "网络较弱",
    "more.title": "更多",
    "more.pip": "画中画",
    "more.full": "全屏 (F)",
    "panel.title": "对话",
    "panel.close": "关闭对话面板",
    "panel.placeholder": "输入消息",
    "panel.send": "发送",
    "panel.empty": "双方说的话会显示在这里。您也可以打字。",
    "latency.title": "上一轮",
    "latency.close": "关闭",
    "latency.note": "时间由服务器测量，单位为毫秒。",
    "over.transcript": "文字记录",
    "over.download": "下载文字记录",
    "over.again": "再次通话",
    "over.empty": "没有对话内容。",
    "closed.retry": "重试",
    "kiosk.invite": "触摸屏幕、走近一点或打个招呼",
  },
  switches: {
    microphone: { on: "麦克风静音 (M)", off: "取消静音 (M)", none: "打开麦克风 (M)" },
    camera: { on: "关闭摄像头 (V)", off: "打开摄像头 (V)", none: "打开摄像头 (V)" },
    captions: { on: "隐藏字幕 (C)", off: "显示字幕 (C)" },
    panel: { on: "关闭对话面板 (T)", off: "输入消息 (T)" },
    screen: { on: "停止共享屏幕 (S)", off: "共享屏幕 (S)" },
    more: { on: "关闭菜单", off: "更多" },
  },
  states: {
    connecting: "正在连接…",
    listening: "正在聆听",
    hearing: "听到您说话",
    thinking: "正在思考…",
    speaking: "正在说话",
    reconnecting: "正在重新连接…",
  },
  closed: {
    unknown: { title: "此链接无效", text: "此链接没有对应的对话。请检查链接是否完整，或向发送者索取新链接。" },
    ended: { title: "此对话已结束", text: "如需再次通话，请向发送者索取新链接。" },
    taken: { title: "此通话已有人加入", text: "已有人在此通话中，也许是您在另一个标签页或设备上。请先在那里离开，然后在此重试。" },
    private: { title: "此通话是私密的", text: "链接不完整或已失效。请打开收到的完整链接，或索取新链接。" },
    busy: { title: "线路全忙", text: "此服务器目前没有空位。请保持页面打开，它会自动重试。" },
    unreachable: { title: "服务器没有响应", text: "服务器可能正在启动，或您的网络已断开。请稍候重试。" },
    blocked: { title: "声音和画面无法传输", text: "服务器有响应，但防火墙或 VPN 等阻止了通话。请换一个网络试试。" },
    refused: { title: "通话无法开始", text: "服务器拒绝了请求：" },
  },
  stages: {
    asked: "程序的请求",
    last_voice: "您的最后一个音",
    vad_end: "察觉停顿",
    turn_decision: "判断您说完",
    final_text: "听懂文字",
    first_token: "想到第一个词",
    first_clause: "第一个分句",
    first_sound: "生成第一个声音",
    first_frame: "生成第一帧画面",
    sent: "发送给您",
  },
  goodbye(reason, name) {
    const thanks = `感谢您与 ${name} 交谈。`;
    switch (reason) {
      case "left":
        return { title: "您已离开通话", text: thanks };
      case "lost":
        return { title: "连接已断开", text: "服务器有一段时间没有响应，通话已结束。" };
      case "unknown":
        return { title: "连接已断开", text: "服务器已重启，不再认识此通话。" };
      case "max_call_duration reached":
        return { title: "时间到了", text: "此通话已达到最长时间。" };
      case "end_conversation_endpoint_hit":
      case "daily_room_has_been_deleted":
        return { title: "主持人已结束通话", text: thanks };
      case "server_shutdown":
      case "server restarted":
        return { title: "服务器已停止", text: "通话随之结束。" };
      case "taken":
        return { title: "通话已在别处打开", text: "有人在另一个标签页或设备上加入了。" };
      case "exception_encountered_during_conversation_startup":
      case "internal error occurred at step conversation":
      case "internal error occurred at step worker":
        return { title: "出了点问题", text: "服务器出现问题，通话已结束。请重新开始。" };
      default:
        return { title: "通话已结束", text: thanks };
    }
  },
  deviceHelp(kind, problem, { userAgent, embedded }) {
    const name = device[kind];
    switch (problem) {
      case "refused":
        return { title: `此页面无法使用您的${name}`, text: `${allow(name, userAgent, embedded)}${without[kind]}` };
      case "missing":
        return { title: `没有找到${name}`, text: `请连接或打开设备后重试。${without[kind]}` };
      case "in-use":
        return { title: `您的${name}无法启动`, text: `可能有其他程序正在使用。请关闭该程序后重试。${without[kind]}` };
      case "insecure":
        return { title: `此页面不能使用${name}`, text: `浏览器只允许地址以 https:// 或 http://localhost 开头的页面使用。${without[kind]}` };
    }
  },
  guest: "访客",
  you: "您",
  interrupted: "被打断",
  title: (name) => `与 ${name} 交谈`,
  disclosure: (name) => `您将与 AI 交谈。${name} 不是真人：面孔和声音由计算机生成，所说内容可能有误。`,
  people: (count) => `通话中有 ${count} 人`,
  retryIn: (seconds) => `${seconds} 秒后重试`,
  summary: (seconds, turns) => `${duration(seconds)}${turns ? ` · ${turns} 次回答` : ""}`,
  readOut: (last) => `${last} ms`,
  readOutMedian: (median) => ` · 中位数 ${median} ms`,
  readOutLabel: (last, median) => `${last} ms · 中位数 ${median} ms：上次回答所需时间。显示各阶段。`,
  textMode: "您没有使用麦克风。请输入想说的话。",
  deviceLost: {
    microphone: "麦克风已断开。您可以继续打字，或按 M 使用另一个。",
    camera: "摄像头已断开。按 V 使用另一个。",
  },
  notSent: "未能发送：目前没有连接。",
  noScreen: "无法共享屏幕。请在浏览器或系统设置中允许后重试。",
  noEyes: "此虚拟人不看屏幕或摄像头。",
  asking: "浏览器正在询问此页面能否使用您的麦克风和摄像头。",
};
