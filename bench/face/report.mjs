// What was measured, for people and, in the last line, for programs.

const round = (value, digits = 2) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : null);
const ms = (value) => (Number.isFinite(value) ? value.toFixed(value < 20 ? 2 : 0) : '');

export function report({ axiam, signOn, sent, sentSignOn, npm, npmTiny, dlib, onnx, memory }) {
  const ours = axiam.medianOf((a) => a.ms);
  const nets = axiam.medianOf((a) => a.nets_ms);
  console.log('| milliseconds a photo | median | best | processor time | one face found | median / ours |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const each of [axiam, signOn, sent, sentSignOn, npm, npmTiny, dlib].filter(({ running }) => running)) {
    const median = each.medianOf((a) => a.ms);
    const found = `${each.answers.filter((a) => a.faces === 1).length} of ${each.answers.length}`;
    row(each.title, ms(median), ms(each.bestOf((a) => a.ms)), ms(each.cpuPerAnswer()), found, (median / ours).toFixed(1));
  }
  const stages = perKey(axiam, (a) => a.stages);
  console.log(`\nOurs by stage: ${listed(stages)}.`);
  console.log(`A sign-on by stage: ${listed(perKey(signOn, (a) => a.stages))}.`);
  console.log(`As the phone's app sends it: ${listed(perKey(sentSignOn, (a) => a.stages))}.`);
  byNetwork(axiam, onnx, nets);
  if (memory) {
    console.log(`Memory: ${memory.idle.toFixed(0)} MiB with the pack loaded, at most ${memory.over.toFixed(1)} MiB more while a photo is looked at.`);
  }
  console.log(JSON.stringify({
    axiam_ms: round(ours),
    sign_on_ms: round(signOn.medianOf((a) => a.ms)),
    sent_ms: round(sent.medianOf((a) => a.ms)),
    sent_sign_on_ms: round(sentSignOn.medianOf((a) => a.ms)),
    npm_ms: round(npm.medianOf((a) => a.ms)),
    npm_tiny_ms: round(npmTiny.medianOf((a) => a.ms)),
    face_recognition_ms: round(dlib.medianOf((a) => a.ms)),
    nets_ms: round(nets),
    onnxruntime_ms: round(onnx.medianOf((a) => a.ms)),
    sign_on_in_photos: round(signOn.medianOf((a) => a.ms) / ours),
    sent_sign_on_in_photos: round(sentSignOn.medianOf((a) => a.ms) / sent.medianOf((a) => a.ms)),
    ratio_npm: round(npm.medianOf((a) => a.ms) / ours),
    ratio_npm_tiny: round(npmTiny.medianOf((a) => a.ms) / ours),
    ratio_face_recognition: round(dlib.medianOf((a) => a.ms) / ours),
    nets_vs_onnxruntime: round(nets / onnx.medianOf((a) => a.ms)),
    nets_vs_onnxruntime_best: round(axiam.bestOf((a) => a.nets_ms) / onnx.bestOf((a) => a.ms)),
    stages_ms: Object.fromEntries(Object.entries(stages).map(([name, value]) => [name, round(value)])),
    memory_idle_mib: round(memory?.idle, 1),
    memory_over_idle_mib: round(memory?.over, 1),
    skipped: [npm, npmTiny, dlib, onnx].filter(({ running }) => !running).map(({ name }) => name),
  }));
}

/** Networks alone, ours beside ONNX Runtime's. */
function byNetwork(axiam, onnx, nets) {
  const mine = perKey(axiam, (a) => a.nets);
  console.log(`In the networks: ours ${ms(nets)} (${listed(mine)})`);
  if (!onnx.running) return;
  const theirs = onnx.medianOf((a) => a.ms);
  console.log(`    ONNX Runtime ${ms(theirs)} (${listed(perKey(onnx, (a) => a.stages))}); ours / theirs ${(nets / theirs).toFixed(2)}`);
}

/** The median of each number in an object that every answer has. */
function perKey(peer, read) {
  const names = Object.keys(read(peer.answers[0]));
  return Object.fromEntries(names.map((name) => [name, peer.medianOf((a) => read(a)[name])]));
}

const listed = (values) => Object.entries(values).map(([name, value]) => `${name} ${ms(value)}`).join(', ');
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
