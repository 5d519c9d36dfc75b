// What Twilio's sms-segments-calculator says of texts: reads a JSON list from the standard input, writes one of [alphabet, bits, parts].
import { SegmentedMessage } from "sms-segments-calculator";

const read = async () => {
  let text = "";
  for await (const part of process.stdin) text += part;
  return JSON.parse(text);
};

const sizes = (await read()).map((text) => {
  const message = new SegmentedMessage(text, "auto");
  return [message.encodingName, message.messageSize, message.segmentsCount];
});
console.log(JSON.stringify(sizes));
