FROM node:20-slim AS build
WORKDIR /bennu
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY protocol protocol
COPY server server
COPY client client
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20-slim
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
WORKDIR /bennu
COPY --from=build /bennu/package.json ./
COPY --from=build /bennu/node_modules node_modules
COPY --from=build /bennu/dist dist
COPY businesses businesses
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3001
# Without npm in between, so that SIGTERM reaches the server and it can drain.
CMD ["node", "--max-semi-space-size=32", "dist/server/main.js"]
