// The texts of the page in English and Korean.

const TEXTS = {
  en: {
    tabs: "Parts of the page", listen: "Listen", review: "Review", theme: "Light or dark",
    drop: "Drop recordings here, of any length.", files: "Choose files", folder: "a folder", record: "Record", stop: "Stop recording",
    window: "Window", seconds: "seconds",
    windowNote: "This model learnt whole clips. Recordings are cut into windows of this length: take that of its training clips.",
    uploading: "Sending", nothing: "Drop a recording, or choose one, to see and hear what is in it.",
    play: "Play or pause", zoomIn: "Zoom in", zoomOut: "Zoom out", zoomAll: "Whole recording", timeline: "Time in the recording",
    keys: "Click to play from there. Space: play or pause. ← →: a second, with Shift ten. + −: zoom. N, P: next and previous event.",
    picture: "Spectrogram", low: "From", high: "to", contrast: "Contrast", brightness: "Brightness",
    events: "Events", class: "Class", all: "All", minScore: "Lowest score", ofClass: "of each class", precision: "Precision wanted", any: "Not chosen", reset: "Reset",
    start: "Start", end: "End", score: "Score", noEvents: "No event reaches the lowest score.", download: "Download",
    tooMany: "The first {n} of {all} events are listed. The downloads have all of them.",
    facts: "{length}, {rate} kHz", waiting: "waits", running: "{percent}%", done: "done", failed: "failed",
    deleteJob: "Delete {name} and its results", deleteSure: "Delete {name} and its results?", more: "{name} and {n} more",
    noMicrophone: "The browser gives no microphone ({why}). Allow it for this page, or choose a file.",
    secure: "a page from another machine needs https",
    lost: "The server cannot be reached. It may have been stopped: start it again with aurist serve. This page tries again by itself.",
    model: "{name}: {metric} {score} {interval}, {n} classes", played: "{at} of {of}", events_n: "{n}",
    formats: { csv: "CSV", raven: "Raven", audacity: "Audacity", kaleidoscope: "Kaleidoscope", jsonl: "JSON lines", parquet: "Parquet", windows: "All windows" },
    toJudge: "Detections of", order: "Order", atRandom: "at random", byUncertainty: "the most uncertain first", byScore: "the highest scores first", autoplay: "Play each at once",
    randomNote: "A random sample tells the precision of all detections.", uncertaintyNote: "Where the model hesitates: most is learnt from the first of them. They tell nothing about the precision of all.", scoreNote: "To see whether a class is there at all. They tell nothing about the precision of all.",
    precisionNow: "Precision", precisionNone: "Judge detections in random order to estimate it.", precisionWords: "{right} of {judged} right: {share}, most likely {low} to {high}.", unsureWords: "{n} could not be told.", byBin: "By score", byClass: "By class",
    annotations: "Verdicts as annotations (CSV)", question: "{label}?", detectionFacts: "Score {score}. {recording}, {start} to {end}.",
    yes: "Yes", no: "No", another: "Another class", several: "Several", unsure: "Cannot tell", undo: "Undo", reviewKeys: "Space: hear it again. ← →: back and forth without a verdict.",
    savedWords: "Saved: {verdict}.", notSaved: "Not saved yet: {n} verdicts wait for the server. They are kept in this browser, and sent when it is back.", tookBack: "Taken back.",
    nothingToJudge: "There is nothing to judge yet. Let the server look for events in a recording (Listen), or start it with --detections.", allJudged: "All {n} detections of this order are judged.",
    chooseOne: "Which class is it?", chooseSeveral: "Which classes are there?", search: "Search, or type a new class", cancel: "Cancel", take: "Take", newClass: "{name} (new)",
    optionWords: "{name}: {judged} of {n} judged",
    data: "Data", dataName: "Likely label errors of the training data",
    dataNote: "Clips that models which never saw them confidently take for something else. Listen, and decide: a model may be wrong, too.",
    dataClips: "The corrected clips table (CSV), for aurist fit", dataCounts: "{n} clips look wrong, {done} are decided, {corrected} with other labels now.", dataNone: "No clip of the training data looks wrong.",
    dataQuestion: "{label}, or rather {suggestion}?", nothing_label: "nothing", dataFacts: "{name}. Predicted without having seen it: {given} against {suggested}.", takeLabel: "It is {suggestion}", keepLabel: "It is {label}",
    live: "Live", liveSource: "Source", ownMicrophone: "Microphone of this browser", serverMicrophone: "Microphone of the server", otherStream: "Another stream or device", liveUrl: "Address, or mic:NAME",
    liveNote: "Without a lowest score, the thresholds of the model decide.", liveStart: "Start to listen", liveStop: "Stop", liveNothing: "Choose a microphone or a stream: what is heard appears here, with its sound.",
    liveOpening: "opening ...", liveRunning: "{seconds} heard, {n} events, {level}", liveStopped: "Ended. {seconds} heard, {n} events", liveNow: "live", microphone: "Microphone", liveEvents: "Latest events", liveNone: "Nothing was heard yet.", liveNoneOfClass: "None of this class was heard yet.", verdict: "Verdict", secondsHead: "Seconds", liveReview: "Judge these events one after the other (Review)",
    liveKeys: "Judge the event that you hear. Space: hear it again. ← →: older and newer events.",
    liveEvent: "{label}, {at}, score {score}", hearEvent: "Hear {label}, {at}", liveNowPicture: "Spectrogram of the last seconds", jsonLines: "JSON lines",
    checkName: "What the check found", checkNone: "The check before the fit found nothing to hear.", labelsDiffer: "labels differ", leftOut: "left out", labelOf: "Label: {label}", hear: "Hear {name}", hearIt: "Hear it",
    leaveOut: "Leave it out", leaveOutClip: "Leave out {name}", keepIt: "Keep it", keepBoth: "Keep both", youLeftOut: "left out by you", youCorrected: "label corrected", bothAre: "Both are {label}", youKept: "kept",
    checkCounts: "{n} findings, {decided} are decided. Clips that you leave out, {out} now, are in the corrected table no more, and Improve does not learn from them.",
    findings: { "near duplicates": "near duplicates", "other labels": "copies" },
    improve: "Improve", improveName: "Learn from verdicts and corrections", improveTime: "Time", oneMinute: "1 min", fiveMinutes: "5 min", twentyMinutes: "20 min", oneHour: "1 h", fourHours: "4 h", learn: "Learn from them", stopLearning: "Stop", learning: "Learning",
    improveCounts: "{learn} verdicts (Review) and {corrected} corrected clips (Data) to learn from. {held} more verdicts are never learnt from: they tell how good the new model is, {random} of them drawn at random.",
    improveNote: "A third of the verdicts in random order is held out, whole recordings at a time, before anything is learnt. Both models are compared on these, and on the training clips whose labels stay, each clip predicted by models that never saw it.",
    foresight: {
      few: "The comparison on verdicts will be rough: few held-out verdicts. Judge more in random order (Review) to see smaller differences.",
      not_random: "There will be no comparison on verdicts, only one on the training clips: nothing was judged in random order. Judge in random order (Review), from the first detection on, of two recordings or more.",
      other_recording: "There will be no comparison on verdicts, only one on the training clips: all random verdicts are of recordings to learn from. Before you learn, judge detections of another recording, or of another hour of a live source, in random order (Review).",
      all_right: "There will be no comparison on verdicts, only one on the training clips: all held-out detections are right. Judge more of them in random order (Review), until some are wrong.",
      all_wrong: "There will be no comparison on verdicts, only one on the training clips: all held-out detections are wrong. Judge more of them in random order (Review), until some are right.",
    },
    fittedModels: "Fitted so far: {names}.", nothingFitted: "Reading the data ...", resultName: "Before and after",
    resultBetter: "The new model is better: {before} became {after} ({difference}, most likely {low} to {high}).",
    resultWorse: "The new model is worse: {before} became {after} ({difference}, most likely {low} to {high}).",
    resultOpen: "No sure difference: {before} became {after} ({difference}, most likely {low} to {high}).",
    resultLearnt: "Learnt from {clips} judged clips and {corrected} corrected ones.",
    onVerdicts: "Average precision on {n} held-out detections of {recordings} recordings, {right} of them right.",
    onData: "The {metric} on the {n} training clips whose labels stayed, each predicted by models that never saw it.",
    notCorrected: "The corrected ones are left out. A wrong label counted as a mistake of the model, so that correcting it also raises the score at the head of the page.",
    toImprove: "Learn from them (Improve)",
    fewRecordings: "There are few recordings, so that the interval may be too narrow.", before: "Before", after: "After",
    useNew: "Use the new model", useOld: "Use the first model again", inUse: "The new model is in use. Recordings that were heard before keep the results of the old one: drop them again.",
  },
  ko: {
    tabs: "페이지의 부분", listen: "듣기", review: "검토", theme: "밝게 또는 어둡게",
    drop: "녹음 파일을 여기에 놓으세요. 길이는 상관없습니다.", files: "파일 선택", folder: "폴더", record: "녹음", stop: "녹음 중지",
    window: "구간", seconds: "초",
    windowNote: "이 모델은 클립 전체를 학습했습니다. 녹음을 이 길이의 구간으로 나눕니다. 학습 클립의 길이를 넣으세요.",
    uploading: "보내는 중", nothing: "녹음을 놓거나 선택하면 무엇이 들어 있는지 보고 들을 수 있습니다.",
    play: "재생 또는 멈춤", zoomIn: "확대", zoomOut: "축소", zoomAll: "전체 보기", timeline: "녹음 안의 시간",
    keys: "클릭하면 그곳부터 재생합니다. 스페이스: 재생/멈춤. ← →: 1초, Shift와 함께 10초. + −: 확대/축소. N, P: 다음/이전 사건.",
    picture: "스펙트로그램", low: "주파수", high: "부터", contrast: "대비", brightness: "밝기",
    events: "사건", class: "종류", all: "모두", minScore: "최저 점수", ofClass: "종류별", precision: "원하는 정밀도", any: "선택 안 함", reset: "되돌리기",
    start: "시작", end: "끝", score: "점수", noEvents: "최저 점수에 이른 사건이 없습니다.", download: "내려받기",
    tooMany: "사건 {all}개 중 처음 {n}개입니다. 내려받는 파일에는 모두 있습니다.",
    facts: "{length}, {rate} kHz", waiting: "대기", running: "{percent}%", done: "완료", failed: "실패",
    deleteJob: "{name}와 결과 삭제", deleteSure: "{name}와 그 결과를 삭제할까요?", more: "{name} 외 {n}개",
    noMicrophone: "브라우저가 마이크를 주지 않습니다({why}). 이 페이지에 허용하거나 파일을 선택하세요.",
    secure: "다른 컴퓨터의 페이지에는 https가 필요합니다",
    lost: "서버에 연결할 수 없습니다. 멈췄을 수 있습니다. aurist serve로 다시 시작하세요. 이 페이지가 스스로 다시 시도합니다.",
    model: "{name}: {metric} {score} {interval}, {n}종류", played: "{of} 중 {at}", events_n: "{n}개",
    formats: { csv: "CSV", raven: "Raven", audacity: "Audacity", kaleidoscope: "Kaleidoscope", jsonl: "JSON lines", parquet: "Parquet", windows: "모든 구간" },
    toJudge: "검출 결과", order: "순서", atRandom: "무작위", byUncertainty: "가장 불확실한 것부터", byScore: "점수가 높은 것부터", autoplay: "바로 재생",
    randomNote: "무작위 표본은 모든 검출의 정밀도를 알려 줍니다.", uncertaintyNote: "모델이 망설이는 것들이며, 처음 몇십 개에서 가장 많이 배웁니다. 전체 정밀도는 알려 주지 않습니다.", scoreNote: "어떤 종류가 정말 있는지 볼 때 씁니다. 전체 정밀도는 알려 주지 않습니다.",
    precisionNow: "정밀도", precisionNone: "무작위 순서로 판정하면 추정할 수 있습니다.", precisionWords: "{judged}개 중 {right}개가 맞음: {share}, 아마 {low}에서 {high} 사이.", unsureWords: "{n}개는 알 수 없었습니다.", byBin: "점수별", byClass: "종류별",
    annotations: "판정을 주석으로 받기 (CSV)", question: "{label}?", detectionFacts: "점수 {score}. {recording}, {start}부터 {end}까지.",
    yes: "예", no: "아니요", another: "다른 종류", several: "여러 종류", unsure: "알 수 없음", undo: "취소", reviewKeys: "스페이스: 다시 듣기. ← →: 판정하지 않고 앞뒤로.",
    savedWords: "저장됨: {verdict}.", notSaved: "아직 저장되지 않음: 판정 {n}개가 서버를 기다립니다. 이 브라우저에 남아 있고, 서버가 돌아오면 보냅니다.", tookBack: "취소했습니다.",
    nothingToJudge: "아직 판정할 것이 없습니다. 듣기에서 녹음의 사건을 찾거나, 서버를 --detections와 함께 시작하세요.", allJudged: "이 순서의 검출 {n}개를 모두 판정했습니다.",
    chooseOne: "어떤 종류입니까?", chooseSeveral: "어떤 종류들이 있습니까?", search: "찾기 또는 새 종류 입력", cancel: "닫기", take: "선택", newClass: "{name} (새 종류)",
    optionWords: "{name}: {n}개 중 {judged}개 판정",
    data: "데이터", dataName: "학습 데이터에서 틀렸을 수 있는 라벨",
    dataNote: "이 클립을 본 적 없는 모델들이 확실히 다른 것으로 여기는 클립입니다. 듣고 결정하세요. 모델도 틀릴 수 있습니다.",
    dataClips: "고친 클립 표 (CSV), aurist fit에 사용", dataCounts: "클립 {n}개가 틀려 보이고, {done}개를 결정했으며, {corrected}개의 라벨을 고쳤습니다.", dataNone: "학습 데이터에서 틀려 보이는 클립이 없습니다.",
    dataQuestion: "{label} 또는 {suggestion}?", nothing_label: "없음", dataFacts: "{name}. 보지 않고 예측한 확률: {given} 대 {suggested}.", takeLabel: "{suggestion}입니다", keepLabel: "{label}입니다",
    live: "실시간", liveSource: "소리", ownMicrophone: "이 브라우저의 마이크", serverMicrophone: "서버의 마이크", otherStream: "다른 스트림 또는 장치", liveUrl: "주소 또는 mic:이름",
    liveNote: "최저 점수가 없으면 모델의 문턱값이 정합니다.", liveStart: "듣기 시작", liveStop: "중지", liveNothing: "마이크나 스트림을 고르면 들리는 것이 소리와 함께 여기에 나타납니다.",
    liveOpening: "여는 중 ...", liveRunning: "{seconds} 들음, 사건 {n}개, {level}", liveStopped: "끝났습니다. {seconds} 들음, 사건 {n}개", liveNow: "실시간", microphone: "마이크", liveEvents: "최근 사건", liveNone: "아직 들린 것이 없습니다.", liveNoneOfClass: "이 종류는 아직 들리지 않았습니다.", verdict: "판정", secondsHead: "초", liveReview: "이 사건들을 차례로 판정하기 (검토)",
    liveKeys: "들은 사건을 판정합니다. 스페이스: 다시 듣기. ← →: 이전/다음 사건.",
    liveEvent: "{label}, {at}, 점수 {score}", hearEvent: "{label} 듣기, {at}", liveNowPicture: "지난 몇 초의 스펙트로그램", jsonLines: "JSON 줄",
    checkName: "검사에서 찾은 것", checkNone: "학습 전 검사에서 들어 볼 것을 찾지 못했습니다.", labelsDiffer: "라벨이 다름", leftOut: "제외됨", labelOf: "라벨: {label}", hear: "{name} 듣기", hearIt: "듣기",
    leaveOut: "빼기", leaveOutClip: "{name} 빼기", keepIt: "두기", keepBoth: "둘 다 두기", youLeftOut: "직접 뺌", youCorrected: "라벨 고침", bothAre: "둘 다 {label}", youKept: "둠",
    checkCounts: "찾은 것 {n}개 중 {decided}개를 결정했습니다. 뺀 클립(지금 {out}개)은 고친 표에 없고, 개선에서 학습하지 않습니다.",
    findings: { "near duplicates": "비슷한 소리", "other labels": "같은 소리", "clipped": "찌그러짐", "silent": "무음" },
    improve: "개선", improveName: "판정과 수정에서 배우기", improveTime: "시간", oneMinute: "1분", fiveMinutes: "5분", twentyMinutes: "20분", oneHour: "1시간", fourHours: "4시간", learn: "배우기", stopLearning: "중지", learning: "학습 중",
    improveCounts: "배울 판정(검토) {learn}개, 고친 클립(데이터) {corrected}개. 다른 판정 {held}개는 절대 학습하지 않고 새 모델이 얼마나 좋은지 알려 줍니다. 그중 {random}개가 무작위입니다.",
    improveNote: "무작위 순서로 내린 판정의 3분의 1은 학습하기 전에 녹음 단위로 따로 둡니다. 두 모델은 이것과, 라벨이 그대로인 학습 클립에서 비교합니다. 각 클립은 그것을 본 적 없는 모델이 예측합니다.",
    foresight: {
      few: "따로 둔 판정이 적어 판정에서의 비교는 대략일 뿐입니다. 작은 차이를 보려면 무작위 순서로 더 판정하세요(검토).",
      not_random: "판정에서는 비교할 수 없고 학습 클립에서만 비교합니다. 무작위 순서로 판정한 것이 없기 때문입니다. 녹음 두 개 이상에서 첫 검출부터 무작위 순서로 판정하세요(검토).",
      other_recording: "판정에서는 비교할 수 없고 학습 클립에서만 비교합니다. 무작위 판정이 모두 배울 녹음의 것입니다. 배우기 전에 다른 녹음이나 실시간 소리의 다른 시간의 검출을 무작위 순서로 판정하세요(검토).",
      all_right: "판정에서는 비교할 수 없고 학습 클립에서만 비교합니다. 따로 둔 검출이 모두 맞습니다. 틀린 것이 나올 때까지 무작위 순서로 더 판정하세요(검토).",
      all_wrong: "판정에서는 비교할 수 없고 학습 클립에서만 비교합니다. 따로 둔 검출이 모두 틀립니다. 맞는 것이 나올 때까지 무작위 순서로 더 판정하세요(검토).",
    },
    fittedModels: "지금까지 학습한 모델: {names}.", nothingFitted: "데이터를 읽는 중 ...", resultName: "전과 후",
    resultBetter: "새 모델이 더 좋습니다: {before}에서 {after}로 ({difference}, 아마 {low}에서 {high} 사이).",
    resultWorse: "새 모델이 더 나쁩니다: {before}에서 {after}로 ({difference}, 아마 {low}에서 {high} 사이).",
    resultOpen: "확실한 차이가 없습니다: {before}에서 {after}로 ({difference}, 아마 {low}에서 {high} 사이).",
    resultLearnt: "판정한 클립 {clips}개와 고친 클립 {corrected}개에서 배웠습니다.",
    onVerdicts: "따로 둔 녹음 {recordings}개의 검출 {n}개에 대한 평균 정밀도이며, 그중 {right}개가 맞습니다.",
    onData: "라벨이 그대로인 학습 클립 {n}개의 {metric}이며, 각 클립은 그것을 본 적 없는 모델이 예측했습니다.",
    notCorrected: "고친 클립은 뺐습니다. 틀린 라벨은 모델의 실수로 세어졌으므로, 고치면 페이지 위쪽의 점수도 올라갑니다.",
    toImprove: "여기서 배우기 (개선)",
    fewRecordings: "녹음이 적어 구간이 너무 좁을 수 있습니다.", before: "전", after: "후",
    useNew: "새 모델 사용", useOld: "처음 모델로 돌아가기", inUse: "새 모델을 사용하고 있습니다. 이전에 들은 녹음은 예전 결과를 그대로 가지므로 다시 놓으세요.",
  },
};

let language = localStorage.getItem("language") ?? (navigator.language.startsWith("ko") ? "ko" : "en");

/** Give the language of the page. */
export const currentLanguage = () => language;

/** Give a text, with values in the place of {names}. */
export function text(key, values = {}) {
  const words = TEXTS[language][key] ?? TEXTS.en[key] ?? key;
  return typeof words === "string" ? words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "") : words;
}

/** Write the texts of all elements that name one. */
export function writeTexts(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
    if (element.matches("button")) element.title = text(element.dataset.label);
  }
  for (const element of root.querySelectorAll("[data-hint]")) element.placeholder = text(element.dataset.hint);
}

/** Change to the other language, and tell it to the parts of the page. */
export function switchLanguage() {
  language = language === "en" ? "ko" : "en";
  localStorage.setItem("language", language);
  writeTexts();
  document.dispatchEvent(new Event("language"));
}

export const otherLanguage = () => (language === "en" ? { lang: "ko", words: "한국어" } : { lang: "en", words: "English" });

/** Write seconds as a person reads them. */
export function clock(seconds, digits = 0) {
  const factor = 10 ** digits;
  const whole = Math.round(seconds * factor) / factor;
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60, rest = (whole % 60).toFixed(digits);
  const padded = rest.padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}
