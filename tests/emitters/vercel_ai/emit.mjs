// The Vercel AI SDK's own telemetry, over OpenAI's Responses API: session and user are metadata of each call.
import { readFileSync } from "node:fs";
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
const model = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "none" })("gpt-5-mini");
const tools = {
  get_weather: tool({
    description: "The weather in a city now.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => ({ city, sky: "sunny", celsius: 24 }),
  }),
};

async function answer(session, messages, stream) {
  const call = {
    model,
    tools,
    messages,
    system: "You are a travel assistant. Answer briefly.",
    maxRetries: 0,
    stopWhen: stepCountIs(3),
    experimental_telemetry: {
      isEnabled: true,
      functionId: "assistant",
      metadata: { sessionId: session.session_id, userId: session.user_id },
    },
  };
  return stream ? await streamText(call).text : (await generateText(call)).text;
}

const sessions = JSON.parse(readFileSync(process.env.SCENARIO_FILE, "utf8"));
for (let number = 0; number < 3; number++) {
  for (const session of sessions) {
    const turn = session.turns[number];
    const said = (session.said ??= []);
    const messages = [...said, { role: "user", content: turn.question }];
    try {
      const text = await answer(session, messages, turn.stream);
      if (text !== turn.answer) throw new Error(`${turn.question} was answered with ${text}`);
      session.said = [...messages, { role: "assistant", content: text }];
    } catch (error) {
      if (!turn.fails) throw error;
    }
  }
}
await provider.shutdown();
