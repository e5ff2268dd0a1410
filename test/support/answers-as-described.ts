import { afterAll, afterEach } from "@jest/globals";
import { checkAnswers } from "./answer-faults.js";

// Whatever a server of the product answers in a test is as its API is described, or that test fails. (SPEC H26)
afterEach(checkAnswers);
afterAll(checkAnswers);
